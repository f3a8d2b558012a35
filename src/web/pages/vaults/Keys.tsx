// The keyslots of a vault: each alone opens it. Adding one needs the vault unlocked for a moment, removing one a device that signs it;
// the secrets stay in the tab.

import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconFingerprint, IconKey, IconLifebuoy, IconPlus, IconUserShield } from "@tabler/icons-react";
import { type ComponentType, useState } from "react";
import type { KeyslotId } from "../../../core/ids.ts";
import { DEVICE_ROUTES } from "../../../wire/v4/api/device-routes.ts";
import type { KeyslotRow } from "../../../wire/v4/vault-port.ts";
import { passkeysHere } from "../../api/passkeys.ts";
import { useRights } from "../../api/session.ts";
import { useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { PlainList, PlainRow } from "../../parts/PlainList.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveButton } from "../../parts/RemoveButton.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { FILES } from "../../strings/files.ts";
import { SHELL } from "../../strings/shell.ts";
import { KEYS } from "../../strings/vaults.ts";
import { PasskeyForm } from "../../unlock/PasskeyForm.tsx";
import { AddKey } from "./AddKey.tsx";
import type { SectionProps } from "./detail.tsx";
import { SignerNote } from "./SignerNote.tsx";
import { TestKey } from "./TestKey.tsx";
import { useDeviceHere, useSigned } from "./use-signer.ts";

const ICONS: Readonly<
  Record<KeyslotRow["kind"], ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>>
> = {
  passphrase: IconKey,
  recovery: IconLifebuoy,
  passkey: IconFingerprint,
  recipient: IconUserShield,
};

export function Keys({ vault }: SectionProps) {
  const { may } = useRights();
  const query = useApi(DEVICE_ROUTES.keyslots, { params: { vault } });
  const { data: device } = useDeviceHere(vault);
  const [dialogue, setDialogue] = useState<"test" | "passphrase" | "recovery" | "passkey" | undefined>();
  /** Of all keys, the passkey that is tested. */
  const [tested, setTested] = useState<KeyslotId | undefined>();
  const signed = useSigned(device, () => toastDone(KEYS.removed));
  const isOwner = may("owner", vault);
  const close = (): void => setDialogue(undefined);
  const test = (passkey?: KeyslotId): void => {
    setTested(passkey);
    setDialogue("test");
  };
  const here = passkeysHere();
  return (
    <Stack gap="lg">
      {isOwner && <SignerNote vault={vault} />}
      <Card
        title={KEYS.title}
        text={KEYS.text}
        actions={
          <Button variant="default" onClick={() => test()}>
            {KEYS.testOne}
          </Button>
        }
      >
        <QueryStates query={query}>
          {({ keyslots }) => (
            <PlainList>
              {keyslots.map(({ id, kind, label, addedAt }) => (
                <PlainRow
                  key={id}
                  icon={ICONS[kind]}
                  title={label}
                  badges={
                    <Badge size="sm" variant="light" tt="none">
                      {KEYS.kinds[kind]}
                    </Badge>
                  }
                  detail={
                    <>
                      {KEYS.added} <Time at={addedAt} />
                    </>
                  }
                  actions={
                    <>
                      {kind === "passkey" && here === "there" && (
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={`${KEYS.test}: ${label}`}
                          onClick={() => test(id)}
                        >
                          {KEYS.test}
                        </Button>
                      )}
                      {isOwner && device && (
                        <RemoveButton
                          of={label}
                          hindrance={keyslots.length < 2 ? KEYS.last : undefined}
                          title={KEYS.removeTitle}
                          text={KEYS.removeText(label)}
                          action={SHELL.remove}
                          onConfirm={() => signed.mutate({ type: "keyslot-remove", body: { id } })}
                        />
                      )}
                    </>
                  }
                />
              ))}
              {isOwner && device && (
                <Group component="li">
                  <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setDialogue("passphrase")}>
                    {KEYS.add}
                  </Button>
                  <Button
                    variant="default"
                    leftSection={<IconLifebuoy size={18} aria-hidden />}
                    onClick={() => setDialogue("recovery")}
                  >
                    {KEYS.addRecovery}
                  </Button>
                  {here === "there" && (
                    <Button
                      variant="default"
                      leftSection={<IconFingerprint size={18} aria-hidden />}
                      onClick={() => setDialogue("passkey")}
                    >
                      {KEYS.addPasskey}
                    </Button>
                  )}
                  {here === "unnamed" && (
                    <Text size="sm" c="dimmed">
                      {KEYS.unnamed(location.hostname)}
                    </Text>
                  )}
                </Group>
              )}
            </PlainList>
          )}
        </QueryStates>
      </Card>
      <Dialogue opened={dialogue === "test"} onClose={close} title={KEYS.testTitle}>
        <Text size="sm" mb="md">
          {KEYS.testText}
        </Text>
        <TestKey
          vault={vault}
          passkey={tested}
          onDone={() => {
            close();
            toastDone(KEYS.testGood);
          }}
        />
      </Dialogue>
      <Dialogue
        opened={dialogue === "passphrase" || dialogue === "recovery"}
        onClose={close}
        title={dialogue === "recovery" ? KEYS.addRecovery : KEYS.add}
        closeOnClickOutside={false}
      >
        {(dialogue === "passphrase" || dialogue === "recovery") && (
          <AddKey vault={vault} kind={dialogue} onDone={close} />
        )}
      </Dialogue>
      <Dialogue
        opened={dialogue === "passkey"}
        onClose={close}
        title={FILES.addPasskeyTitle}
        closeOnClickOutside={false}
      >
        {dialogue === "passkey" && <PasskeyForm vault={vault} onDone={close} />}
      </Dialogue>
    </Stack>
  );
}
