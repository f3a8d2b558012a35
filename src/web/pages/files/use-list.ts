// The list that the page shows: the tree of a folder, what a search found, or what changed. A new one takes the old one's place at once and
// grows while the worker reads; an old one is forgotten, and what was still reading it stops.

import { useCallback, useEffect, useRef, useState } from "react";
import { type AppError, isAppError } from "../../../core/errors.ts";
import type { SnapshotId } from "../../../core/ids.ts";
import type { RawPath } from "../../../core/raw-path.ts";
import type { ListView, SortOrder } from "../../engine/reader-api.ts";
import type { ReaderClient } from "../../engine/reader-client.ts";

export type ListAsk =
  | { readonly kind: "tree"; readonly snapshot: SnapshotId; readonly path: RawPath }
  | { readonly kind: "find"; readonly snapshot: SnapshotId; readonly path: RawPath; readonly text: string }
  | { readonly kind: "compare"; readonly before: SnapshotId; readonly after: SnapshotId; readonly path: RawPath };

export type ListState = {
  readonly list: number | undefined;
  readonly count: number;
  readonly version: number;
  readonly isLoading: boolean;
  /** Entries that a search has looked at. */
  readonly seen: number;
  readonly counts: { readonly added: number; readonly removed: number; readonly changed: number } | undefined;
  readonly error: AppError | undefined;
};

const NOTHING: ListState = {
  list: undefined,
  count: 0,
  version: 0,
  isLoading: true,
  seen: 0,
  counts: undefined,
  error: undefined,
};

export function useList(client: ReaderClient, ask: ListAsk | undefined, order: SortOrder) {
  const [state, setState] = useState<ListState>(NOTHING);
  const orderNow = useRef(order);
  orderNow.current = order;
  const key = JSON.stringify(ask);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says all of `ask`
  useEffect(() => {
    if (!ask) return;
    const controller = new AbortController();
    let list: number | undefined;
    let version = 0;
    const grow = ({ seen, ...view }: ListView & { readonly seen?: number }, changes: Partial<ListState> = {}): void => {
      list = view.list;
      if (controller.signal.aborted) return;
      setState((before) => ({
        ...(version === 0 ? NOTHING : before),
        ...{ list: view.list, count: view.count, version: ++version },
        ...(seen === undefined ? {} : { seen }),
        ...changes,
      }));
    };
    setState((before) => ({ ...before, isLoading: true, error: undefined, counts: undefined, seen: 0 }));
    const { signal } = controller;
    load(client, ask, { signal, order: orderNow.current, onEvent: grow }).then(
      ({ added, removed, changed, ...view }) => {
        const counts = added === undefined ? undefined : { added, removed: removed ?? 0, changed: changed ?? 0 };
        grow(view, { isLoading: false, counts });
      },
      (error: unknown) => {
        if (!isAppError(error)) throw error;
        if (!signal.aborted) setState({ ...NOTHING, isLoading: false, error });
      },
    );
    return () => {
      controller.abort();
      if (list !== undefined) void client.call("forget", { list }).catch(() => undefined);
    };
  }, [client, key]);

  /** For what changes rows of the list that is shown. */
  const change = useCallback(
    (work: (list: number, onEvent: (view: ListView) => void) => Promise<ListView>) => {
      const { list } = state;
      if (list === undefined) return;
      const grow = (view: ListView): void =>
        setState((before) =>
          before.list === list ? { ...before, count: view.count, version: before.version + 1 } : before,
        );
      work(list, grow).then(grow, (error: unknown) => {
        if (!isAppError(error)) throw error;
        if (error.code !== "interrupted") setState((before) => ({ ...before, error }));
      });
    },
    [state],
  );
  return { state, change };
}

type Loaded = ListView & { readonly added?: number; readonly removed?: number; readonly changed?: number };

function load(
  client: ReaderClient,
  ask: ListAsk,
  {
    order,
    ...options
  }: { readonly signal: AbortSignal; readonly order: SortOrder; readonly onEvent: (view: ListView) => void },
): Promise<Loaded> {
  switch (ask.kind) {
    case "tree":
      return client.call("tree", { snapshot: ask.snapshot, path: ask.path, order }, options);
    case "find":
      return client.call("find", { snapshot: ask.snapshot, path: ask.path, text: ask.text }, options);
    case "compare":
      return client.call("compare", { before: ask.before, after: ask.after, path: ask.path }, options);
  }
}
