// A bar over the page while the server is away: what is shown may be old then.

import { Alert } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { lineStore } from "../api/live.ts";
import { toastDone } from "../parts/toast.tsx";
import { SHELL } from "../strings/shell.ts";

/** A line that comes back at once is nobody's business. */
const PATIENCE_MS = 2500;

export function AwayBar() {
  const { state } = useSyncExternalStore(lineStore.subscribe, lineStore.current);
  const [isShown, setShown] = useState(false);
  const wasShown = useRef(false);
  useEffect(() => {
    if (state === "waiting") {
      const timer = setTimeout(() => setShown(true), PATIENCE_MS);
      return () => clearTimeout(timer);
    }
    if (state === "live") setShown(false);
    return undefined;
  }, [state]);
  useEffect(() => {
    if (wasShown.current && !isShown) toastDone(SHELL.back);
    wasShown.current = isShown;
  }, [isShown]);
  if (!isShown) return null;
  return (
    <Alert color="orange" mb="md" icon={<IconPlugConnectedX aria-hidden />} role="alert">
      {SHELL.away}
    </Alert>
  );
}
