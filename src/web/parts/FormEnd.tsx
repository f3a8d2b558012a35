// The end of a form: what went wrong, the way out, the deed.

import { Button, Group } from "@mantine/core";
import { SHELL } from "../strings/shell.ts";
import { ErrorNote } from "./ErrorNote.tsx";

export function FormEnd({
  action,
  work,
  isDisabled = false,
  onCancel,
}: {
  /** What the button says. */
  readonly action: string;
  readonly work: { readonly isPending: boolean; readonly isError: boolean; readonly error: unknown };
  readonly isDisabled?: boolean;
  readonly onCancel?: () => void;
}) {
  return (
    <>
      {work.isError && <ErrorNote error={work.error} />}
      <Group justify="flex-end">
        {onCancel !== undefined && (
          <Button variant="default" onClick={onCancel}>
            {SHELL.cancel}
          </Button>
        )}
        <Button type="submit" loading={work.isPending} disabled={isDisabled}>
          {action}
        </Button>
      </Group>
    </>
  );
}
