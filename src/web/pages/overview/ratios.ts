// How many times smaller something became.

const format = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** `3.4×`; a dash while it is not known. */
export function factor(before: number, after: number): string {
  return before > 0 && after > 0 ? `${format.format(before / after)}×` : "–";
}
