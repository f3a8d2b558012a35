// Name and passphrase of a new vault. Its keys are made in a worker: the passphrase's takes seconds.

import { Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { browserName } from "../../backup/browser-name.ts";
import type { PreparedVault } from "../../backup/make-vault.ts";
import { prepareNewVault } from "../../backup/vault-maker.ts";
import { Card } from "../../parts/Card.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { PassphraseStrength, type Strength } from "../../parts/PassphraseStrength.tsx";
import { WELCOME } from "../../strings/welcome.ts";

const USUAL_NAME = "home";
const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
/** Of 0 to 4 (zxcvbn): safe from whoever has the keyslot and moderate hardware. */
const GOOD_ENOUGH = 3;

export function VaultStep({ onPrepared }: { readonly onPrepared: (prepared: PreparedVault) => void }) {
  const vaults = useApi(VAULT_ROUTES.vaults).data?.vaults;
  const [typed, setName] = useState<string>();
  const name = typed ?? (vaults === undefined || vaults.some((vault) => vault.name === USUAL_NAME) ? "" : USUAL_NAME);
  const isTaken = vaults?.some((vault) => vault.name === name.trim()) === true;
  const [passphrase, setPassphrase] = useState("");
  const [repeat, setRepeat] = useState("");
  const [strength, setStrength] = useState<Strength | undefined>();
  const prepare = useMutation({
    meta: { isShown: true },
    mutationFn: () => prepareNewVault({ name: name.trim(), passphrase, deviceName: browserName() }),
    onSuccess: onPrepared,
  });
  const isWeak = strength !== undefined && strength.score < GOOD_ENOUGH;
  const isReady = NAME.test(name.trim()) && !isTaken && strength !== undefined && !isWeak && repeat === passphrase;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady) prepare.mutate();
  };
  return (
    <Card>
      <form onSubmit={submit}>
        <Stack gap="md" maw={520}>
          <TextInput
            label={WELCOME.name}
            description={WELCOME.nameHint}
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            error={isTaken ? WELCOME.nameTaken : name !== "" && !NAME.test(name.trim()) ? WELCOME.nameBad : undefined}
            required
          />
          <PasswordInput
            label={WELCOME.passphrase}
            description={WELCOME.passphraseHint}
            value={passphrase}
            onChange={({ currentTarget }) => setPassphrase(currentTarget.value)}
            autoComplete="new-password"
            required
          />
          <PassphraseStrength passphrase={passphrase} onJudged={setStrength} />
          {isWeak && repeat !== "" && (
            <Text size="sm" c="var(--cb-bad)" role="alert">
              {WELCOME.weak}
            </Text>
          )}
          <PasswordInput
            label={WELCOME.repeat}
            value={repeat}
            onChange={({ currentTarget }) => setRepeat(currentTarget.value)}
            error={repeat !== "" && !passphrase.startsWith(repeat) ? WELCOME.differ : undefined}
            autoComplete="new-password"
            required
          />
          {prepare.isError && <ErrorNote error={prepare.error} />}
          <Group justify="space-between">
            <Text size="sm" c="dimmed" role="status">
              {prepare.isPending ? WELCOME.making : ""}
            </Text>
            <Button type="submit" loading={prepare.isPending} disabled={!isReady}>
              {WELCOME.makeKeys}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
