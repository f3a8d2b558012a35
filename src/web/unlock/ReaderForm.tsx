// A form whose work needs the vault unlocked: its door until then, afterwards the fields and a button that hands the open vault to `work`.

import { Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { FormEnd } from "../parts/FormEnd.tsx";
import { WhileUnlocked } from "./UnlockNote.tsx";
import type { OpenVault } from "./vault-store.ts";

type Props = {
  readonly vault: string;
  /** What the button says. */
  readonly action: string;
  /** False while a field of the form is missing. */
  readonly isReady: boolean;
  readonly work: (open: OpenVault) => Promise<void>;
  readonly onDone: () => void;
  readonly children: ReactNode;
};

export function ReaderForm(props: Props) {
  return <WhileUnlocked vault={props.vault}>{(open) => <Fields {...props} open={open} />}</WhileUnlocked>;
}

function Fields({ open, action, isReady, work, onDone, children }: Props & { readonly open: OpenVault }) {
  const doing = useMutation({ meta: { isShown: true }, mutationFn: () => work(open), onSuccess: onDone });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        doing.mutate();
      }}
    >
      <Stack>
        {children}
        <FormEnd action={action} work={doing} isDisabled={!isReady} />
      </Stack>
    </form>
  );
}
