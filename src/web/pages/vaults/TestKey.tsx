// Tries whether a passphrase or a recovery key opens a vault, in a worker of its own that ends at once: what is open in the tab stays as it is.

import { Anchor, Button, Group, PasswordInput, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { KEYS, SIGNER } from "../../strings/vaults.ts";

type Step = keyof typeof SIGNER.working;

export function TestKey({ vault, onDone }: { readonly vault: string; readonly onDone: () => void }) {
  const [isRecovery, setRecovery] = useState(false);
  const [secret, setSecret] = useState("");
  const [step, setStep] = useState<Step | undefined>();
  const unlock = useMutation({
    meta: { isShown: true },
    async mutationFn() {
      const { ReaderClient } = await import("../../engine/reader-client.ts");
      const client = new ReaderClient();
      try {
        setStep("opening");
        await client.open(vault);
        const how = isRecovery
          ? ({ by: "recovery", text: secret } as const)
          : ({ by: "passphrase", passphrase: secret } as const);
        const onEvent = (event: "checking" | "opening"): void =>
          setStep(event === "checking" ? "checking" : "unlocking");
        await client.call("unlock", how, { onEvent });
      } finally {
        client.close();
        setStep(undefined);
      }
    },
    onSuccess() {
      setSecret("");
      onDone();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        unlock.mutate();
      }}
    >
      <Stack>
        {isRecovery ? (
          <Textarea
            label={SIGNER.recovery}
            placeholder={SIGNER.recoveryHint}
            value={secret}
            onChange={({ currentTarget }) => setSecret(currentTarget.value)}
            autosize
            minRows={3}
            spellCheck={false}
            autoComplete="off"
            required
          />
        ) : (
          <PasswordInput
            label={SIGNER.passphrase}
            value={secret}
            onChange={({ currentTarget }) => setSecret(currentTarget.value)}
            autoComplete="off"
            required
          />
        )}
        <Anchor component="button" type="button" size="sm" ta="left" onClick={() => setRecovery(!isRecovery)}>
          {isRecovery ? SIGNER.usePassphrase : SIGNER.useRecovery}
        </Anchor>
        {unlock.isError && <ErrorNote error={unlock.error} />}
        <Group justify="space-between">
          <Text size="sm" c="dimmed" role="status">
            {step === undefined ? "" : SIGNER.working[step]}
          </Text>
          <Button type="submit" loading={unlock.isPending} disabled={secret === ""}>
            {KEYS.test}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
