// Which rows of a long list the window shows: the others are not drawn, and a gap before and after stands for them. A short list is drawn
// whole, so that whoever searches the page finds everything. Rows may differ in height: each is measured once it is drawn.

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type RefCallback, type RefObject, useEffect, useLayoutEffect, useState } from "react";

const DRAWN_WHOLE = 100;
const OVERSCAN_ROWS = 15;
/** So many before the end, more are asked for. */
const AHEAD_ROWS = 30;

export type RowsInSight = {
  readonly from: number;
  /** Behind the last one. */
  readonly to: number;
  readonly beforePx: number;
  readonly afterPx: number;
  /** For each row's element, with its number as `data-index`. */
  readonly measure: RefCallback<HTMLElement> | undefined;
};

export function useRowsInSight(
  list: RefObject<HTMLElement | null>,
  { count, rowPx, onEnd }: { count: number; rowPx: number; onEnd?: (() => void) | undefined },
): RowsInSight {
  const [scrollMargin, setMargin] = useState(0);
  useLayoutEffect(() => {
    const top = list.current?.getBoundingClientRect().top ?? 0;
    setMargin(Math.round(top + window.scrollY));
  }, [list]);
  const isLong = count > DRAWN_WHOLE;
  const virtual = useWindowVirtualizer({
    count: isLong ? count : 0,
    estimateSize: () => rowPx,
    overscan: OVERSCAN_ROWS,
    scrollMargin,
  });
  const items = virtual.getVirtualItems();
  const to = isLong ? (items.at(-1)?.index ?? -1) + 1 : count;
  const isNearEnd = isLong && to > count - AHEAD_ROWS;
  useEffect(() => {
    if (isNearEnd) onEnd?.();
  }, [isNearEnd, onEnd]);
  if (!isLong) return { from: 0, to, beforePx: 0, afterPx: 0, measure: undefined };
  const [first, last] = [items[0], items.at(-1)];
  return {
    from: first?.index ?? 0,
    to,
    beforePx: first ? first.start - scrollMargin : 0,
    afterPx: last ? virtual.getTotalSize() - (last.end - scrollMargin) : virtual.getTotalSize(),
    measure: virtual.measureElement,
  };
}
