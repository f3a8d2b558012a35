// The server's own log, by its address.

import { RunsAndLogs } from "./page.tsx";

export function Page() {
  return <RunsAndLogs tab="log" />;
}
