// For whoever wants to change something in a vault of which this browser is no device yet: makes it one.

import { Alert, Button, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconSignature } from "@tabler/icons-react";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { programName } from "../../parts/program-name.ts";
import { toastDone } from "../../parts/toast.tsx";
import { SIGNER } from "../../strings/vaults.ts";
import { UnlockForm } from "./UnlockForm.tsx";
import { useDeviceHere, useLookForDevice } from "./use-signer.ts";

export function SignerNote({ vault }: { readonly vault: string }) {
  const { data: device } = useDeviceHere(vault);
  const look = useLookForDevice();
  const [isOpen, dialogue] = useDisclosure(false);
  const about = useApi(VAULT_ROUTES.vault, { params: { vault } });
  if (device !== null) return null;
  return (
    <>
      <Alert icon={<IconSignature aria-hidden />} variant="light" title={SIGNER.title}>
        {SIGNER.text}
        <Button size="xs" mt="sm" display="block" onClick={dialogue.open}>
          {SIGNER.unlock}
        </Button>
      </Alert>
      <Modal opened={isOpen} onClose={dialogue.close} title={SIGNER.unlock}>
        <UnlockForm
          vault={vault}
          work={async (client) => {
            await client.call("enrol", { vaultName: about.data?.name ?? "", name: programName(navigator.userAgent) });
          }}
          onDone={() => {
            dialogue.close();
            toastDone(SIGNER.done);
            void look();
          }}
        />
      </Modal>
    </>
  );
}
