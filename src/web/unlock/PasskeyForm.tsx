// Adds a passkey to a vault: the authenticator makes it, the worker seals the vault's secrets for it.

import { Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createPasskey } from "../../crypto/passkey.ts";
import { DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import { refresh } from "../api/use-api.ts";
import { browserName } from "../backup/browser-name.ts";
import { toastDone } from "../parts/toast.tsx";
import { FILES } from "../strings/files.ts";
import { ReaderForm } from "./ReaderForm.tsx";

export function PasskeyForm({ vault, onDone }: { readonly vault: string; readonly onDone: () => void }) {
  const queries = useQueryClient();
  const [label, setLabel] = useState<string>(() => browserName());
  return (
    <ReaderForm
      vault={vault}
      action={FILES.addPasskeyAdd}
      isReady={label.trim() !== ""}
      work={async ({ client, name: vaultName }) => {
        const credential = await createPasskey(`${vaultName} (CyberBackup)`);
        const deviceName = browserName();
        await client.call("addPasskey", { credential, label: label.trim(), vaultName, deviceName });
      }}
      onDone={() => {
        void refresh(queries, DEVICE_ROUTES.keyslots, DEVICE_ROUTES.log);
        toastDone(FILES.addPasskeyDone);
        onDone();
      }}
    >
      <Text size="sm">{FILES.addPasskeyText}</Text>
      <TextInput
        label={FILES.addPasskeyName}
        value={label}
        maxLength={80}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
    </ReaderForm>
  );
}
