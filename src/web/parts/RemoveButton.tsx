// What takes something away for good, on a row or in a row's menu: it asks first, says what would be gone, and is named after the row for those who hear the page.

import { Button, Menu } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import type { ComponentType } from "react";
import { SHELL } from "../strings/shell.ts";
import { confirm } from "./confirm.tsx";

type Question = Parameters<typeof confirm>[0];

/** At the end of a row. */
export function RemoveButton({
  of,
  label = SHELL.remove,
  isPending = false,
  /** Why it cannot be removed now. */
  hindrance,
  ...question
}: Question & {
  /** What the row is of: several buttons of a list say the same. */
  readonly of: string;
  readonly label?: string;
  readonly isPending?: boolean;
  readonly hindrance?: string | undefined;
}) {
  return (
    <Button
      size="xs"
      variant="default"
      loading={isPending}
      disabled={hindrance !== undefined}
      {...(hindrance !== undefined && { title: hindrance })}
      aria-label={`${label}: ${of}`}
      onClick={() => confirm(question)}
    >
      {label}
    </Button>
  );
}

/** In a row's menu, which is named after the row itself. */
export function RemoveItem({
  icon: Icon = IconTrash,
  label,
  isDisabled = false,
  isPlain = false,
  ...question
}: Question & {
  readonly icon?: ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
  /** What the item says, when it is not the deed itself. */
  readonly label?: string;
  readonly isDisabled?: boolean;
  /** For what takes something off a row and leaves the row there. */
  readonly isPlain?: boolean;
}) {
  return (
    <Menu.Item
      {...(!isPlain && { color: "red" })}
      leftSection={<Icon size={18} aria-hidden />}
      disabled={isDisabled}
      onClick={() => confirm(question)}
    >
      {label ?? question.action}
    </Menu.Item>
  );
}
