// What a `User-Agent` means to a person: "Chrome on Linux". Where nobody has said a name, that is what a browser is called.

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Windows/, "Windows"],
  [/Android/, "Android"],
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Mac OS/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

export function browserName(userAgent: string = navigator.userAgent): string {
  const system = namedIn(userAgent, SYSTEMS);
  return [namedIn(userAgent, BROWSERS) ?? "Browser", ...(system ? [`on ${system}`] : [])].join(" ");
}

/** Of a sign-in, which other programs may have too. */
export function programName(userAgent: string): string {
  if (namedIn(userAgent, BROWSERS) !== undefined) return browserName(userAgent);
  return userAgent === "" ? "–" : userAgent.slice(0, 60);
}

function namedIn(text: string, names: typeof BROWSERS): string | undefined {
  return names.find(([pattern]) => pattern.test(text))?.[1];
}
