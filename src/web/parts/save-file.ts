// Hands something out as a download of this browser.

const KEPT_MS = 60_000;

export function saveText(name: string, text: string, type = "text/plain"): void {
  saveBlob(name, new Blob([text], { type }));
}

export function saveJson(name: string, value: unknown): void {
  saveText(name, JSON.stringify(value, undefined, 2), "application/json");
}

/** `keptMs`: as long as the download that was begun may need what it is made of; then `onOver`. */
export function saveBlob(
  name: string,
  blob: Blob,
  { keptMs = KEPT_MS, onOver }: { readonly keptMs?: number; readonly onOver?: () => void } = {},
): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
    onOver?.();
  }, keptMs);
}
