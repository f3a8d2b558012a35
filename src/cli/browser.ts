// How a desktop opens an address in the person's browser. Nothing where there is no desktop: over SSH, in a container, in a service.

type Desktop = { readonly platform: string; readonly env: Readonly<Record<string, string | undefined>> };

export function browserCommand(
  { platform, env }: Desktop,
  address: string,
): { readonly file: string; readonly args: readonly string[] } | undefined {
  if (env.SSH_CONNECTION || env.CI) return undefined;
  if (platform === "darwin") return { file: "open", args: [address] };
  // `start` is a word of the shell, in which & and ^ mean something; this takes the address as it is.
  if (platform === "win32") return { file: "rundll32", args: ["url.dll,FileProtocolHandler", address] };
  return env.DISPLAY || env.WAYLAND_DISPLAY ? { file: "xdg-open", args: [address] } : undefined;
}
