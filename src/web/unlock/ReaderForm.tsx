// A form whose work needs the vault unlocked: its door until then, afterwards the fields and a button that hands the open vault's worker to `work`.

import { Button, Group, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { ReaderClient } from "../engine/reader-client.ts";
import { ErrorNote } from "../parts/ErrorNote.tsx";
import { WhileUnlocked } from "./UnlockNote.tsx";

type Props = {
  readonly vault: string;
  /** What the button says. */
  readonly action: string;
  /** False while a field of the form is missing. */
  readonly isReady: boolean;
  readonly work: (client: ReaderClient) => Promise<void>;
  readonly onDone: () => void;
  readonly children: ReactNode;
};

export function ReaderForm(props: Props) {
  return <WhileUnlocked vault={props.vault}>{({ client }) => <Fields {...props} client={client} />}</WhileUnlocked>;
}

function Fields({ client, action, isReady, work, onDone, children }: Props & { readonly client: ReaderClient }) {
  const doing = useMutation({ meta: { isShown: true }, mutationFn: () => work(client), onSuccess: onDone });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        doing.mutate();
      }}
    >
      <Stack>
        {children}
        {doing.isError && <ErrorNote error={doing.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={doing.isPending} disabled={!isReady}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
