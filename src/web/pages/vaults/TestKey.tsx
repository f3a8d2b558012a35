// Tries whether a passphrase, a recovery key or a certain passkey opens a vault, in a worker of its own that ends at once: what is open in the tab stays as it is.

import { Anchor, Button, Group, PasswordInput, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { KeyslotId } from "../../../core/ids.ts";
import type { Unlocking } from "../../engine/reader-api.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { FILES } from "../../strings/files.ts";
import { KEYS, SIGNER } from "../../strings/vaults.ts";

type Step = keyof typeof SIGNER.working;

export function TestKey({
  vault,
  passkey,
  onDone,
}: {
  readonly vault: string;
  /** That one; otherwise what is typed. */
  readonly passkey?: KeyslotId | undefined;
  readonly onDone: () => void;
}) {
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
        const how: Unlocking =
          passkey !== undefined
            ? { by: "passkey", slot: passkey }
            : isRecovery
              ? { by: "recovery", text: secret }
              : { by: "passphrase", passphrase: secret };
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
        {passkey !== undefined ? (
          <Text size="sm">{FILES.locked.passkeyHelp}</Text>
        ) : isRecovery ? (
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
        {passkey === undefined && (
          <Anchor component="button" type="button" size="sm" ta="left" onClick={() => setRecovery(!isRecovery)}>
            {isRecovery ? SIGNER.usePassphrase : SIGNER.useRecovery}
          </Anchor>
        )}
        {unlock.isError && <ErrorNote error={unlock.error} />}
        <Group justify="space-between">
          <Text size="sm" c="dimmed" role="status">
            {step === undefined ? "" : SIGNER.working[step]}
          </Text>
          <Button type="submit" loading={unlock.isPending} disabled={passkey === undefined && secret === ""}>
            {KEYS.test}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
