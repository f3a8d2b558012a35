// Where the commands of this machine reach a server: a Unix socket in its data folder, which only its owner can open, or a named
// pipe on Windows.

import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

export function localSocketPath(data: string, platform: string = process.platform): string {
  if (platform !== "win32") return join(resolve(data), "server.sock");
  const name = createHash("sha256").update(resolve(data).toLowerCase()).digest("hex").slice(0, 32);
  return `\\\\.\\pipe\\cyberbackup-${name}`;
}
