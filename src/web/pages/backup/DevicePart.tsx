// This browser as a device: which vault it writes to, how it becomes a device, and how it is forgotten.

import { Button, Group, SegmentedControl, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconDeviceLaptop, IconPlus } from "@tabler/icons-react";
import { type FormEvent, memo, useRef, useState } from "react";
import type { VaultId } from "../../../core/ids.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useApi } from "../../api/use-api.ts";
import { browserName } from "../../backup/browser-name.ts";
import { backups } from "../../backup/controller.ts";
import type { BrowserDevice } from "../../backup/device-store.ts";
import { enrolWithCode } from "../../backup/enrol-page.ts";
import { removeState } from "../../backup/state-file.ts";
import { Card } from "../../parts/Card.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { NoVault } from "../../parts/NoVault.tsx";
import { toastDone, toastError } from "../../parts/toast.tsx";
import { BACKUP } from "../../strings/backup.ts";
import { SHELL } from "../../strings/shell.ts";
import { WhileUnlocked } from "../../unlock/UnlockNote.tsx";
import { lockVault, useVault } from "../../unlock/vault-store.ts";
import { useLookAgain } from "./use-backup.ts";

const WORDS = BACKUP.device;

export const DevicePart = memo(function DevicePart(props: {
  readonly devices: readonly BrowserDevice[];
  readonly current: BrowserDevice;
  readonly isLocked: boolean;
  readonly onChange: (vault: VaultId) => void;
}) {
  const { devices, current, isLocked, onChange } = props;
  const [isAdding, setAdding] = useState(false);
  const [isForgetting, setForgetting] = useState(false);
  return (
    <Card
      title={WORDS.title}
      text={WORDS.is(current.name, current.vaultName)}
      actions={
        <>
          {devices.length > 1 && (
            <Select
              aria-label={WORDS.vault}
              w={180}
              disabled={isLocked}
              allowDeselect={false}
              value={current.vault}
              onChange={(vault) => vault !== null && onChange(vault as VaultId)}
              data={devices.map(({ vault, vaultName }) => ({ value: vault, label: vaultName }))}
            />
          )}
          <Button
            variant="default"
            size="sm"
            leftSection={<IconPlus size={16} aria-hidden />}
            disabled={isLocked}
            onClick={() => setAdding(true)}
          >
            {WORDS.add}
          </Button>
          <Button variant="subtle" color="red" size="sm" disabled={isLocked} onClick={() => setForgetting(true)}>
            {WORDS.forget}
          </Button>
        </>
      }
    >
      <Dialogue opened={isAdding} onClose={() => setAdding(false)} title={WORDS.makeTitle} centered>
        <EnrolForm
          onDone={(vault) => {
            setAdding(false);
            if (vault !== undefined) onChange(vault);
          }}
        />
      </Dialogue>
      <ForgetDialogue device={current} isOpen={isForgetting} onClose={() => setForgetting(false)} />
    </Card>
  );
});

export function EnrolCard({ onDone }: { readonly onDone: (vault: VaultId | undefined) => void }) {
  return (
    <Card title={WORDS.makeTitle} text={WORDS.makeText}>
      <EnrolForm onDone={onDone} />
    </Card>
  );
}

type Way = "key" | "code";

function EnrolForm({ onDone }: { readonly onDone: (vault: VaultId | undefined) => void }) {
  const isNarrow = useMediaQuery("(max-width: 30em)", undefined, { getInitialValueInEffect: false });
  const lookAgain = useLookAgain();
  const { open } = useVault();
  const known = useApi(VAULT_ROUTES.vaults).data?.vaults;
  const { may } = useRights();
  const vaults = known?.filter(({ id }) => may("operator", id)) ?? [];
  const [way, setWay] = useState<Way>("key");
  const [name, setName] = useState(() => browserName());
  const [vaultId, setVaultId] = useState<string | null>(null);
  const [secret, setSecret] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const vault = vaults.find(({ id }) => id === (vaultId ?? open?.id)) ?? vaults[0];
  const client = open !== undefined && open.id === vault?.id ? open.client : undefined;
  // Opened for this alone, it is locked again afterwards: backing up needs it no more.
  const wasOpen = useRef(open?.id);

  const enrol = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      let added: VaultId | undefined;
      if (way === "code") added = (await enrolWithCode(await backups.store(), secret, name)).vault;
      else if (vault && client) {
        await client.call("enrol", { vaultName: vault.name, name });
        added = vault.id;
        if (wasOpen.current !== vault.id) lockVault();
      }
      setSecret("");
      await lookAgain();
      toastDone(WORDS.enrolled);
      onDone(added);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void enrol();
  };

  return (
    <Stack gap="md" maw={560}>
      <SegmentedControl
        fullWidth
        data-fleeting
        orientation={isNarrow ? "vertical" : "horizontal"}
        aria-label={WORDS.makeTitle}
        value={way}
        onChange={(value) => {
          setWay(value as Way);
          setSecret("");
          setError(undefined);
        }}
        data={[
          { value: "key", label: WORDS.byKey },
          { value: "code", label: WORDS.byCode },
        ]}
      />
      {way === "key" && known?.length === 0 && <NoVault isInCard />}
      {way === "key" && known !== undefined && known.length > 0 && vaults.length === 0 && (
        <Text size="sm">{WORDS.noRight}</Text>
      )}
      {way === "key" && vaults.length > 1 && (
        <Select
          label={WORDS.vault}
          allowDeselect={false}
          value={vault?.id ?? null}
          onChange={setVaultId}
          data={vaults.map(({ id, name: label }) => ({ value: id, label }))}
        />
      )}
      {way === "key" && vault === undefined ? null : way === "key" && !client ? (
        <WhileUnlocked vault={vault!.id}>{() => null}</WhileUnlocked>
      ) : (
        <form onSubmit={submit}>
          <Stack gap="md">
            {way === "key" && vault && (
              <Text size="sm" c="dimmed">
                {WORDS.isOpen(vault.name)}
              </Text>
            )}
            {way === "code" && (
              <Textarea
                label={WORDS.code}
                description={WORDS.codeHelp}
                value={secret}
                onChange={({ currentTarget }) => setSecret(currentTarget.value)}
                autosize
                minRows={2}
                ff="monospace"
                autoComplete="off"
                spellCheck={false}
                required
                withAsterisk={false}
              />
            )}
            <TextInput
              label={WORDS.name}
              description={WORDS.nameHelp}
              value={name}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
              required
              withAsterisk={false}
            />
            {error !== undefined && <ErrorNote error={error} />}
            <Group>
              <Button
                type="submit"
                loading={isBusy}
                disabled={name.trim() === "" || (way === "key" ? !client : secret === "")}
                leftSection={<IconDeviceLaptop size={18} aria-hidden />}
              >
                {WORDS.enrol}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Stack>
  );
}

function ForgetDialogue(props: {
  readonly device: BrowserDevice;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const { device, isOpen, onClose } = props;
  const lookAgain = useLookAgain();
  const forget = async (): Promise<void> => {
    const store = await backups.store();
    const states = await store.forget(device.vault);
    await Promise.all(states.map(removeState));
    backups.dismiss();
    backups.clear();
    onClose();
    await lookAgain();
    toastDone(WORDS.forgot);
  };
  return (
    <Dialogue opened={isOpen} onClose={onClose} title={WORDS.forgetTitle} centered>
      <Stack>
        <Text size="sm">{WORDS.forgetText}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {SHELL.cancel}
          </Button>
          <Button color="red" onClick={() => void forget().catch(toastError)}>
            {WORDS.forget}
          </Button>
        </Group>
      </Stack>
    </Dialogue>
  );
}
