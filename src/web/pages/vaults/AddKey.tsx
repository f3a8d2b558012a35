// Adds a passphrase or a recovery key: with the vault unlocked in this tab.

import { Alert, Button, Group, PasswordInput, Stack, TextInput } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { DEVICE_ROUTES } from "../../../wire/v4/api/device-routes.ts";
import { refresh } from "../../api/use-api.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { PassphraseStrength, type Strength } from "../../parts/PassphraseStrength.tsx";
import { saveText } from "../../parts/save-file.ts";
import { toastDone } from "../../parts/toast.tsx";
import { SHELL } from "../../strings/shell.ts";
import { KEYS } from "../../strings/vaults.ts";
import { ReaderForm } from "../../unlock/ReaderForm.tsx";

const GOOD_ENOUGH = 3;

export function AddKey({
  vault,
  kind,
  onDone,
}: {
  readonly vault: string;
  readonly kind: "passphrase" | "recovery";
  readonly onDone: () => void;
}) {
  const client = useQueryClient();
  const [label, setLabel] = useState<string>(kind === "recovery" ? "recovery key" : "passphrase");
  const [passphrase, setPassphrase] = useState("");
  const [repeat, setRepeat] = useState("");
  const [strength, setStrength] = useState<Strength | undefined>();
  const [identity, setIdentity] = useState<string | undefined>();
  if (identity !== undefined) {
    return (
      <Stack>
        <Alert variant="light" title={KEYS.recoveryShown}>
          {KEYS.recoveryText}
        </Alert>
        <CopyLine value={identity} label={KEYS.recoveryShown} />
        <Group>
          <Button
            variant="default"
            leftSection={<IconDownload size={18} aria-hidden />}
            onClick={() => saveText("cyberbackup-recovery-key.txt", `${identity}\n`)}
          >
            {KEYS.saveIt}
          </Button>
          <Button onClick={onDone}>{SHELL.done}</Button>
        </Group>
      </Stack>
    );
  }
  const isPassphrase = kind === "passphrase";
  const isReady =
    label.trim() !== "" && (!isPassphrase || (repeat === passphrase && (strength?.score ?? 0) >= GOOD_ENOUGH));
  return (
    <ReaderForm
      vault={vault}
      action={isPassphrase ? KEYS.add : KEYS.addRecovery}
      isReady={isReady}
      work={async ({ client: reader }) => {
        const lock = isPassphrase ? ({ kind: "passphrase", passphrase } as const) : ({ kind: "recovery" } as const);
        const made = await reader.call("addKeyslot", { ...lock, label: label.trim() });
        if (made.identity !== undefined) setIdentity(made.identity);
      }}
      onDone={() => {
        void refresh(client, DEVICE_ROUTES.keyslots, DEVICE_ROUTES.log);
        toastDone(KEYS.addedDone);
        if (isPassphrase) onDone();
      }}
    >
      <TextInput
        label={KEYS.label}
        value={label}
        onChange={({ currentTarget }) => setLabel(currentTarget.value)}
        maxLength={100}
        required
      />
      {isPassphrase && (
        <>
          <PasswordInput
            label={KEYS.newPassphrase}
            value={passphrase}
            onChange={({ currentTarget }) => setPassphrase(currentTarget.value)}
            autoComplete="new-password"
            required
          />
          <PassphraseStrength passphrase={passphrase} onJudged={setStrength} />
          <PasswordInput
            label={KEYS.repeat}
            value={repeat}
            onChange={({ currentTarget }) => setRepeat(currentTarget.value)}
            error={repeat !== "" && repeat !== passphrase ? KEYS.differ : undefined}
            autoComplete="new-password"
            required
          />
        </>
      )}
    </ReaderForm>
  );
}
