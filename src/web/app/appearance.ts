// What each browser remembers of how the page should look. Light and dark are Mantine's own.

import { useSyncExternalStore } from "react";
import { ACCENTS, type Accent } from "./theme.ts";

const KEY = "cyberbackup-accent";
const listeners = new Set<() => void>();

export function useAccent(): Accent {
  return useSyncExternalStore(subscribe, current);
}

export function setAccent(accent: Accent): void {
  localStorage.setItem(KEY, accent);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", listener);
  };
}

function current(): Accent {
  const kept = localStorage.getItem(KEY);
  return ACCENTS.find((accent) => accent === kept) ?? ACCENTS[0];
}
