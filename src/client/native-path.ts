// Where paths of this system and raw paths meet. On POSIX they are one. On Windows `C:\Users\ann` is `/C/Users/ann` in a snapshot and
// `\\nas\share\x` is `/UNC/nas/share/x`; the way back gives paths with the prefix `\\?\`, which may be longer than 260 characters and
// in which no name means anything but itself (Microsoft, "Naming Files, Paths, and Namespaces").

import { type RawPath, rawFromText, rawToText } from "../core/raw-path.ts";

export type PathStyle = "posix" | "win32";

export const PATH_STYLE: PathStyle = process.platform === "win32" ? "win32" : "posix";

const UNC = "UNC";
/** Stands for what leads to drives and shares and is no folder itself: the root, and the name of a server. */
const ABOVE_DRIVES = "\\\\?\\C:\\";

/** Of an absolute path, as `path.resolve` gives it. */
export function rawFromNative(path: string, style: PathStyle = PATH_STYLE): RawPath {
  if (style === "posix") return rawFromText(path);
  const [, isShare, plain = ""] = /^(?:\\\\[?.]\\(UNC\\)?)?(.*)$/s.exec(path)!;
  const parts = plain.split(/[\\/]+/).filter((part) => part !== "");
  if (isShare !== undefined || /^[\\/]{2}/.test(plain)) return rawFromText(`/${[UNC, ...parts].join("/")}`);
  const [drive = "", ...below] = parts;
  return rawFromText(
    `/${[drive.replace(/^([A-Za-z]):$/, (_, letter: string) => letter.toUpperCase()), ...below].join("/")}`,
  );
}

/** What the system is given for an absolute raw path of Windows. */
export function windowsPath(raw: RawPath): string {
  const [first = "", ...below] = rawToText(raw)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (/^[A-Za-z]$/.test(first)) return `\\\\?\\${first.toUpperCase()}:\\${below.join("\\")}`;
  if (first === UNC && below.length >= 2) return `\\\\?\\${UNC}\\${below.join("\\")}`;
  return ABOVE_DRIVES;
}
