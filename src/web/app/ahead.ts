// What the first page needs is asked for before anything is drawn, side by side: its code, who is signed in and, as soon as both are there, the
// answer that it shows. React would find out one after the other. Whatever fails here is asked for again by whoever needs it.

import type { QueryClient } from "@tanstack/react-query";
import { ME_QUERY } from "../api/session.ts";
import { PAGES } from "../pages/registry.ts";

export function beginAhead(client: QueryClient, address: string = location.hash.slice(1)): void {
  const page = pageAt(address);
  if (!page) return;
  Promise.all([page.load(), client.fetchQuery(ME_QUERY)]).then(
    ([{ ask }, me]) => me && ask?.(client),
    () => undefined,
  );
}

function pageAt(address: string) {
  const segments = (address.split("?")[0] || "/").split("/");
  return PAGES.find(({ path }) => {
    const wanted = path.split("/");
    return wanted.length === segments.length && wanted.every((name, i) => name.startsWith("$") || name === segments[i]);
  });
}
