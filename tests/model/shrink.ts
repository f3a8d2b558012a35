// Makes a failing list shorter: leaves out ever smaller parts as long as it still fails (ddmin, Zeller and Hildebrandt 2002).

/** Indices below `length` that still fail, none of which can be left out alone. */
export async function shrink(
  length: number,
  fails: (indices: readonly number[]) => Promise<boolean>,
): Promise<number[]> {
  let kept = Array.from({ length }, (_, i) => i);
  for (let part = Math.ceil(length / 2); part >= 1; ) {
    let isShorter = false;
    for (let at = 0; at < kept.length; ) {
      const without = [...kept.slice(0, at), ...kept.slice(at + part)];
      if (await fails(without)) {
        kept = without;
        isShorter = true;
      } else {
        at += part;
      }
    }
    if (part === 1 && !isShorter) break;
    if (part > 1) part = Math.ceil(part / 2);
  }
  return kept;
}
