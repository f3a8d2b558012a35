// Rows of a list that the worker holds, for whatever part of it is in sight. What is asked for are windows, the newest first, two at a
// time; what is shown stays until its successor has come.

import { useCallback, useEffect, useRef, useState } from "react";
import { isAppError } from "../../../core/errors.ts";
import type { RowView } from "../../engine/reader-api.ts";
import type { ReaderClient } from "../../engine/reader-client.ts";

const WINDOW_ROWS = 128;
const AT_ONCE = 2;
const KEPT_WINDOWS = 64;

type Cache = {
  list: number;
  version: number;
  /** Windows by number, with the version of the list that they show. */
  readonly windows: Map<number, { readonly version: number; readonly rows: readonly RowView[] }>;
  readonly asked: Set<number>;
  wanted: readonly [number, number];
};

export type Rows = {
  row(index: number): RowView | undefined;
  /** Rows [from, to) are in sight. */
  see(from: number, to: number): void;
};

/** `version` moves whenever the list has changed. */
export function useRows(client: ReaderClient, list: number | undefined, version: number): Rows {
  const [, redraw] = useState(0);
  const cache = useRef<Cache>({ list: -1, version, windows: new Map(), asked: new Set(), wanted: [0, 0] });
  if (cache.current.list !== list) {
    cache.current = { list: list ?? -1, version, windows: new Map(), asked: new Set(), wanted: cache.current.wanted };
  }
  cache.current.version = version;

  const ask = useCallback(() => {
    const now = cache.current;
    if (now.list < 0) return;
    const [from, to] = now.wanted;
    for (let window = Math.floor(from / WINDOW_ROWS); window * WINDOW_ROWS < to; window++) {
      if (now.asked.size >= AT_ONCE) return;
      if (now.asked.has(window) || now.windows.get(window)?.version === now.version) continue;
      now.asked.add(window);
      const { list: asked, version: shown } = now;
      client
        .call("rows", { list: asked, from: window * WINDOW_ROWS, to: (window + 1) * WINDOW_ROWS })
        .then((rows) => {
          now.windows.delete(window);
          now.windows.set(window, { version: shown, rows });
          for (const oldest of now.windows.keys()) {
            if (now.windows.size <= KEPT_WINDOWS) break;
            now.windows.delete(oldest);
          }
        })
        .catch((error: unknown) => {
          // Locked meanwhile, or the list is gone: nothing of it is in sight any more.
          if (!isAppError(error)) throw error;
          now.list = -1;
        })
        .finally(() => {
          now.asked.delete(window);
          if (cache.current !== now) return;
          redraw((count) => count + 1);
          ask();
        });
    }
  }, [client]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list or version has other rows
  useEffect(ask, [ask, list, version]);

  return {
    row(index) {
      return cache.current.windows.get(Math.floor(index / WINDOW_ROWS))?.rows[index % WINDOW_ROWS];
    },
    see(from, to) {
      cache.current.wanted = [from, to];
      ask();
    },
  };
}
