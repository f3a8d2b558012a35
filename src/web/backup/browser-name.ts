// What to call a browser where nobody has said: "Chrome on Linux".

export function browserName(agent: { readonly userAgent: string } = navigator): string {
  const text = agent.userAgent;
  const browser = [
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["Firefox/", "Firefox"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
  ].find(([sign]) => text.includes(sign!))?.[1];
  const system = [
    ["Windows", "Windows"],
    ["Android", "Android"],
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Mac OS", "macOS"],
    ["CrOS", "ChromeOS"],
    ["Linux", "Linux"],
  ].find(([sign]) => text.includes(sign!))?.[1];
  return [browser ?? "Browser", ...(system ? [`on ${system}`] : [])].join(" ");
}
