// Which rows of equal height are in sight, of up to many millions: browsers draw no element higher than some 17 million pixels, so a longer
// list scrolls faster than the wheel turns. Nothing here costs more with more rows.

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Firefox ends at 17,895,697 pixels, Chromium and Safari at 33,554,428. */
const SPACER_MAX_PX = 16_000_000;
const OVERSCAN_ROWS = 12;

export type Virtual = {
  readonly spacerPx: number;
  readonly from: number;
  readonly to: number;
  /** Rows that fit. */
  readonly pageRows: number;
  topOf(row: number): number;
  scrollTo(row: number): void;
};

export function useVirtual(
  scroller: RefObject<HTMLElement | null>,
  { count, rowPx, onSee }: { count: number; rowPx: number; onSee: (from: number, to: number) => void },
): Virtual {
  const [scrollTop, setScrollTop] = useState(0);
  const [heightPx, setHeightPx] = useState(600);
  const totalPx = count * rowPx;
  const spacerPx = Math.min(totalPx, SPACER_MAX_PX);
  // Where the list is when the spacer is at `scrollTop`.
  const scale = spacerPx > heightPx ? (totalPx - heightPx) / (spacerPx - heightPx) : 1;
  const virtualTop = Math.min(scrollTop * scale, Math.max(0, totalPx - heightPx));
  const shift = virtualTop - scrollTop;
  const first = Math.floor(virtualTop / rowPx);
  const pageRows = Math.max(1, Math.floor(heightPx / rowPx));
  const from = Math.max(0, first - OVERSCAN_ROWS);
  const to = Math.min(count, first + pageRows + 1 + OVERSCAN_ROWS);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = (): void => setHeightPx(element.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    let frame = 0;
    const onScroll = (): void => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setScrollTop(element.scrollTop);
      });
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, [scroller]);

  const see = useRef(onSee);
  see.current = onSee;
  useEffect(() => see.current(from, to), [from, to]);

  const scrollTo = useCallback(
    (row: number) => {
      const element = scroller.current;
      if (!element) return;
      const top = row * rowPx;
      const seenFrom = element.scrollTop * scale;
      if (top >= seenFrom && top + rowPx <= seenFrom + heightPx) return;
      const wanted = top < seenFrom ? top : top + rowPx - heightPx;
      element.scrollTop = Math.max(0, wanted) / scale;
    },
    [scroller, rowPx, scale, heightPx],
  );

  return { spacerPx, from, to, pageRows, topOf: (row) => row * rowPx - shift, scrollTo };
}
