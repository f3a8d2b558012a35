// Asks before a form that was changed is left: by a link, by the browser's buttons, by closing the tab (there the browser asks in words of its own).

import { useBlocker } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { SHELL } from "../strings/shell.ts";
import { confirm } from "./confirm.tsx";

/**
 * `value` is all that the form holds, as what JSON can say. Returns `keep`, which takes what the form holds (or what is given) for saved: to be called before
 * anything else is done after saving.
 */
export function useUnsaved(value: unknown): (saved?: unknown) => void {
  const text = JSON.stringify(value);
  const shown = useRef(text);
  const kept = useRef(text);
  useEffect(() => {
    shown.current = text;
  }, [text]);
  const isChanged = (): boolean => shown.current !== kept.current;
  useBlocker({
    // What stands behind the `?` of a page is no other page.
    shouldBlockFn: ({ current, next }) => isChanged() && next.pathname !== current.pathname && staysHere(),
    enableBeforeUnload: isChanged,
  });
  return (...saved) => {
    kept.current = saved.length === 0 ? shown.current : JSON.stringify(saved[0]);
  };
}

function staysHere(): Promise<boolean> {
  return new Promise((resolve) =>
    confirm({
      title: SHELL.unsaved,
      text: SHELL.unsavedText,
      action: SHELL.leave,
      cancel: SHELL.stay,
      onConfirm: () => resolve(false),
      onClose: () => resolve(true),
    }),
  );
}
