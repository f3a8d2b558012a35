// Short messages about what has happened. Mantine shows them in a live region, so that they are heard as well.

import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { SHELL } from "../strings/shell.ts";
import { wordsOf } from "./ErrorNote.tsx";

const LONG_MS = 12_000;
const CLOSE = { "aria-label": SHELL.close };

export function toastDone(message: string): void {
  notifications.show({ message, color: "green", icon: <IconCheck size={18} aria-hidden />, closeButtonProps: CLOSE });
}

export function toastError(error: unknown): void {
  const { title, hint } = wordsOf(error);
  notifications.show({
    title,
    message: hint,
    color: "red",
    autoClose: LONG_MS,
    closeButtonProps: CLOSE,
    icon: <IconAlertTriangle size={18} aria-hidden />,
  });
}
