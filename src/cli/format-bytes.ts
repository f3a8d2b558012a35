// Sizes and counts for people: binary units (IEC 80000-13) with three figures, thousands set apart.

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];
/** Made when the first count is shown: it costs a start some 10 ms. */
let thousands: Intl.NumberFormat | undefined;

/** `0 B`, `1023 B`, `1.50 KiB`, `15.0 MiB`, `312 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function formatCount(count: number): string {
  thousands ??= new Intl.NumberFormat("en");
  return thousands.format(count);
}

/** `1 file`, `2,000 files`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}
