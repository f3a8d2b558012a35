// Asks before something is done that cannot be taken back.

import { Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { SHELL } from "../strings/shell.ts";

const MARK = { "data-question": true } as const;

/** A question of this kind stands above everything else: keys are for it. */
export function isQuestionOpen(): boolean {
  return document.querySelector("[data-question] [role=dialog]") !== null;
}

export function confirm(question: {
  readonly title: string;
  readonly text: string;
  /** What the button says: the deed, not "OK". */
  readonly action: string;
  readonly isHarmless?: boolean;
  /** What the other button says. */
  readonly cancel?: string;
  readonly onConfirm: () => void;
  /** However it was answered; after `onConfirm`. */
  readonly onClose?: () => void;
}): void {
  modals.openConfirmModal({
    title: question.title,
    children: <Text size="sm">{question.text}</Text>,
    labels: { confirm: question.action, cancel: question.cancel ?? SHELL.cancel },
    confirmProps: question.isHarmless ? {} : { color: "red.8" },
    centered: true,
    ...MARK,
    onConfirm: question.onConfirm,
    ...(question.onClose && { onClose: question.onClose }),
  });
}
