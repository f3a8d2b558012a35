// The frame of every dialogue. What somebody typed or chose in it is not lost by its X, by Escape, by a click beside it, by leaving the page or by closing
// the tab: it asks first, and only if a field differs from what it held when the dialogue was opened. Buttons of a form's own ("Cancel", "Done") ask nothing.

import { Button, Group, Modal, type ModalProps, Stack, Text } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { SHELL } from "../strings/shell.ts";
import { isQuestionOpen } from "./confirm.tsx";
import { fieldsOf } from "./field-changes.ts";

type Props = Pick<ModalProps, "size" | "centered" | "closeOnClickOutside" | "zIndex"> & {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  /** Asks for a choice or a code that is no loss to anybody who closes it. */
  readonly isQuestion?: boolean;
  readonly children: ReactNode;
};

/** What Escape does to those that are open, in the order in which they were opened: it is for the last one alone. */
const open: RefObject<() => void>[] = [];
const ABOVE_DIALOGUES = 230;
/** Mantine gives the focus back itself where it can. */
const AFTER_FOCUS_MS = 30;
let lastFocused: HTMLElement | null = null;

export function Dialogue({ opened, onClose, title, isQuestion = false, children, ...look }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const fields = useRef<ReturnType<typeof fieldsOf>>(undefined);
  const [asked, setAsked] = useState<{ readonly answer: (isDiscarded: boolean) => void }>();
  const isChanged = (): boolean => opened && !isQuestion && fields.current?.isChanged() === true;
  const close = (): void => {
    if (!isChanged()) onClose();
    else setAsked({ answer: (isDiscarded) => isDiscarded && onClose() });
  };
  const answer = (isDiscarded: boolean): void => {
    setAsked(undefined);
    asked?.answer(isDiscarded);
    if (!isDiscarded) fields.current?.focusLast();
  };
  useWayBack(opened);
  useEscape(opened, () => (asked === undefined ? close() : answer(false)));
  useBlocker({
    // What stands behind the `?` of a page is no other page.
    shouldBlockFn: ({ current, next }) =>
      next.pathname !== current.pathname &&
      isChanged() &&
      new Promise<boolean>((resolve) => setAsked({ answer: (isDiscarded) => resolve(!isDiscarded) })),
    enableBeforeUnload: isChanged,
  });
  return (
    <>
      <Modal
        {...look}
        opened={opened}
        onClose={close}
        title={title}
        closeOnEscape={false}
        closeButtonProps={{ "aria-label": SHELL.close }}
      >
        <div ref={watched(box, fields)}>{children}</div>
      </Modal>
      <Modal
        opened={opened && asked !== undefined}
        onClose={() => answer(false)}
        title={SHELL.discardTitle}
        centered
        withCloseButton={false}
        closeOnEscape={false}
        returnFocus={false}
        zIndex={ABOVE_DIALOGUES}
      >
        <Stack>
          <Text size="sm">{SHELL.discardText}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => answer(false)} data-autofocus>
              {SHELL.keepEditing}
            </Button>
            <Button color="red.8" onClick={() => answer(true)}>
              {SHELL.discard}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

/** A callback for the box: what its fields hold is noted anew whenever it appears. */
function watched(
  box: RefObject<HTMLDivElement | null>,
  fields: RefObject<ReturnType<typeof fieldsOf> | undefined>,
): (node: HTMLDivElement | null) => void {
  return (node) => {
    if (node === null || node === box.current) return;
    box.current = node;
    fields.current = fieldsOf(node);
  };
}

/** Focus goes back to what opened the dialogue; if that was the entry of a menu, which has gone, to the menu's button. */
function useWayBack(opened: boolean): void {
  useEffect(() => {
    if (!opened) return;
    const opener = lastFocused;
    return () => {
      setTimeout(() => {
        if (document.activeElement === document.body) opener?.focus({ preventScroll: true });
      }, AFTER_FOCUS_MS);
    };
  }, [opened]);
}

function useEscape(opened: boolean, act: () => void): void {
  const last = useRef(act);
  useEffect(() => {
    last.current = act;
  });
  useEffect(() => {
    if (!opened) return;
    open.push(last);
    return () => {
      open.splice(open.indexOf(last), 1);
    };
  }, [opened]);
}

addEventListener(
  "focusin",
  ({ target }) => {
    if (!(target instanceof HTMLElement)) return;
    const button = target.closest("[role=menu]")?.getAttribute("aria-labelledby");
    lastFocused = button ? document.getElementById(button) : target;
  },
  { capture: true },
);

// One for all, there before any of them: whom the key is for is decided before anything closes.
addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || event.isComposing || isQuestionOpen() || isHandledBelow(event.target)) return;
    open.at(-1)?.current();
  },
  { capture: true },
);

/** An open list of choices closes by the same key. */
function isHandledBelow(target: EventTarget | null): boolean {
  return target instanceof Element && target.getAttribute("data-mantine-stop-propagation") === "true";
}
