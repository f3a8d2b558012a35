// What stands where sealed things would be shown: why they are not, and the button that opens the vault for the whole tab.

import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconLock } from "@tabler/icons-react";
import { type ReactNode, useEffect } from "react";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import { useApi } from "../api/use-api.ts";
import { Dialogue } from "../parts/Dialogue.tsx";
import { FILES } from "../strings/files.ts";
import { UNLOCK } from "../strings/unlock.ts";
import { Unlock } from "./Unlock.tsx";
import { type OpenVault, useOpenVault, useVault } from "./vault-store.ts";

/** Nothing once the vault is open. */
export function UnlockNote({ vault, text }: { readonly vault: string; readonly text: ReactNode }) {
  const [isOpen, dialogue] = useDisclosure(false);
  const isUnlocked = useOpenVault(vault) !== undefined;
  useEffect(() => {
    if (isUnlocked) dialogue.close();
  }, [isUnlocked, dialogue.close]);
  if (isUnlocked) return null;
  return (
    <>
      <Alert variant="light" color="gray" icon={<IconLock aria-hidden />}>
        <Group justify="space-between" gap="sm">
          <Text size="sm" flex="1 1 240px">
            {text}
          </Text>
          <Button size="xs" variant="light" onClick={dialogue.open}>
            {UNLOCK.button}
          </Button>
        </Group>
      </Alert>
      <UnlockDialogue vault={vault} isOpen={isOpen} onClose={dialogue.close} />
    </>
  );
}

function UnlockDialogue(props: { readonly vault: string; readonly isOpen: boolean; readonly onClose: () => void }) {
  const { vault, isOpen, onClose } = props;
  const name = useVaultName(vault);
  return (
    <Dialogue opened={isOpen} onClose={onClose} title={FILES.locked.title(name)} centered>
      <InPlace vault={vault} name={name} />
    </Dialogue>
  );
}

/** `children` with the open vault; until it is open, its door. */
export function WhileUnlocked(props: { readonly vault: string; readonly children: (open: OpenVault) => ReactNode }) {
  const { vault, children } = props;
  const open = useOpenVault(vault);
  const name = useVaultName(vault);
  return open === undefined ? <InPlace vault={vault} name={name} /> : children(open);
}

function InPlace({ vault, name }: { readonly vault: string; readonly name: string }) {
  const { open } = useVault();
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        {UNLOCK.text} {open !== undefined && open.id !== vault && UNLOCK.other(open.name)}
      </Text>
      <Unlock key={vault} vault={vault} name={name} isBare />
    </Stack>
  );
}

function useVaultName(vault: string): string {
  return useApi(VAULT_ROUTES.vaults).data?.vaults.find(({ id }) => id === vault)?.name ?? vault.slice(0, 8);
}
