// For whoever wants to change something in a vault of which this browser is no device yet: makes it one.

import { Alert, Button, Loader, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconSignature } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { browserName } from "../../backup/browser-name.ts";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { UNLOCK } from "../../strings/unlock.ts";
import { SIGNER } from "../../strings/vaults.ts";
import { WhileUnlocked } from "../../unlock/UnlockNote.tsx";
import type { OpenVault } from "../../unlock/vault-store.ts";
import { useDeviceHere, useLookForDevice } from "./use-signer.ts";

export function SignerNote({ vault }: { readonly vault: string }) {
  const { data: device } = useDeviceHere(vault);
  const look = useLookForDevice();
  const [isOpen, dialogue] = useDisclosure(false);
  if (device !== null) return null;
  return (
    <>
      <Alert icon={<IconSignature aria-hidden />} variant="light" title={SIGNER.title}>
        {SIGNER.text}
        <Button size="xs" mt="sm" display="block" onClick={dialogue.open}>
          {SIGNER.unlock}
        </Button>
      </Alert>
      <Dialogue opened={isOpen} onClose={dialogue.close} title={SIGNER.unlock}>
        <WhileUnlocked vault={vault}>
          {(open) => (
            <Enrolling
              open={open}
              onDone={() => {
                dialogue.close();
                toastDone(SIGNER.done);
                void look();
              }}
            />
          )}
        </WhileUnlocked>
      </Dialogue>
    </>
  );
}

/** Begins by itself: unlocking was all that the person was asked for. */
function Enrolling({ open, onDone }: { readonly open: OpenVault; readonly onDone: () => void }) {
  const enrol = useMutation({
    meta: { isShown: true },
    mutationFn: () => open.client.call("enrol", { vaultName: open.name, name: browserName() }),
    onSuccess: onDone,
  });
  const hasBegun = useRef(false);
  useEffect(() => {
    if (hasBegun.current) return;
    hasBegun.current = true;
    enrol.mutate();
  }, [enrol.mutate]);
  if (enrol.isError) return <ErrorNote error={enrol.error} onRetry={() => enrol.mutate()} />;
  return (
    <Stack align="center" role="status">
      <Loader role="img" aria-label={UNLOCK.enrolling} />
      <Text size="sm">{UNLOCK.enrolling}</Text>
    </Stack>
  );
}
