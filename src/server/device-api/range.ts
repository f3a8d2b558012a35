// The Range header (RFC 9110, 14): one range of bytes. Several, or a unit that is not known, are ignored, as the RFC allows.

export type Range = { readonly start: number; readonly length: number };

/** "all" without a range that counts, "none" when none of it is there. */
export function parseRange(header: string | undefined, sizeBytes: number): Range | "all" | "none" {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (!found || (found[1] === "" && found[2] === "")) return "all";
  const [first, last] = [found[1]!, found[2]!];
  if (first === "") {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? "none" : { start: sizeBytes - length, length };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== "" && Number(last) < start) return "all";
  return start >= sizeBytes ? "none" : { start, length: end - start + 1 };
}
