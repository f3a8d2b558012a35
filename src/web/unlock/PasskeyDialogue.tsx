// Adds a passkey to the vault that is open: the authenticator makes it, the worker seals the vault's secrets for it.

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { createPasskey } from "../../crypto/passkey.ts";
import { browserName } from "../backup/browser-name.ts";
import { ErrorNote } from "../parts/ErrorNote.tsx";
import { toastDone } from "../parts/toast.tsx";
import { FILES } from "../strings/files.ts";
import { SHELL } from "../strings/shell.ts";
import type { OpenVault } from "./vault-store.ts";

export function PasskeyDialogue({
  vault: { client, name: vaultName },
  isOpen,
  onClose,
}: {
  readonly vault: OpenVault;
  readonly isOpen: boolean;
  onClose(): void;
}) {
  const [label, setLabel] = useState<string>(() => browserName());
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const add = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const credential = await createPasskey(`${vaultName} (CyberBackup)`);
      await client.call("addPasskey", {
        credential,
        label,
        vaultName,
        deviceName: browserName(),
      });
      toastDone(FILES.addPasskeyDone);
      onClose();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={FILES.addPasskeyTitle}
      centered
      closeButtonProps={{ "aria-label": SHELL.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <Stack gap="md">
          <Text size="sm">{FILES.addPasskeyText}</Text>
          <TextInput
            label={FILES.addPasskeyName}
            value={label}
            maxLength={80}
            onChange={(event) => setLabel(event.currentTarget.value)}
          />
          {error !== undefined && <ErrorNote error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {SHELL.cancel}
            </Button>
            <Button type="submit" loading={isBusy} disabled={label.trim() === ""}>
              {FILES.addPasskeyAdd}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
