// Passkeys by which one signs in: which there are, one more, another name, off. An owner sees and takes off those of others.

import { Alert, Badge, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFingerprint, IconInfoCircle, IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { PASSKEY_NAME_LENGTH, PASSKEY_ROUTES, type Passkey } from "../../../wire/v4/api/passkey-routes.ts";
import { addPasskey, passkeysHere } from "../../api/passkeys.ts";
import { refresh, useAction, useApi } from "../../api/use-api.ts";
import { browserName } from "../../backup/browser-name.ts";
import { Card } from "../../parts/Card.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { PlainList, PlainRow } from "../../parts/PlainList.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveButton } from "../../parts/RemoveButton.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { PASSKEYS } from "../../strings/settings.ts";
import { SHELL } from "../../strings/shell.ts";

const REFRESHES = [PASSKEY_ROUTES.passkeys];

export function Passkeys() {
  const query = useApi(PASSKEY_ROUTES.passkeys);
  const [isAdding, adding] = useDisclosure(false);
  const here = passkeysHere();
  return (
    <Card
      title={PASSKEYS.title}
      text={PASSKEYS.text}
      actions={
        here === "there" && (
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={adding.open}>
            {PASSKEYS.add}
          </Button>
        )
      }
    >
      {here !== "there" && (
        <Alert variant="light" icon={<IconInfoCircle aria-hidden />}>
          {here === "unnamed" ? PASSKEYS.unnamed(location.hostname) : PASSKEYS.unknown}
        </Alert>
      )}
      <QueryStates
        query={query}
        isEmpty={({ passkeys }) => passkeys.length === 0}
        empty={
          <Text size="sm" c="dimmed">
            {PASSKEYS.none}
          </Text>
        }
      >
        {({ passkeys }) => <PasskeyList passkeys={passkeys} isOwn />}
      </QueryStates>
      <Dialogue opened={isAdding} onClose={adding.close} title={PASSKEYS.add} closeOnClickOutside={false}>
        <NewPasskey onDone={adding.close} />
      </Dialogue>
    </Card>
  );
}

export function PasskeyList({ passkeys, isOwn }: { readonly passkeys: readonly Passkey[]; readonly isOwn: boolean }) {
  const [named, setNamed] = useState<Passkey | undefined>();
  const drop = useAction(PASSKEY_ROUTES.dropPasskey, {
    refreshes: REFRESHES,
    onDone: () => toastDone(PASSKEYS.removed),
  });
  return (
    <>
      <PlainList>
        {passkeys.map((passkey) => {
          const { id, name, host, isSynced, createdAt, lastUsedAt } = passkey;
          return (
            <PlainRow
              key={id}
              icon={IconFingerprint}
              title={name}
              badges={
                <>
                  {isOwn && host !== location.hostname && (
                    <Badge size="sm" variant="light" color="gray" tt="none">
                      {PASSKEYS.only(host)}
                    </Badge>
                  )}
                  {isSynced && (
                    <Badge size="sm" variant="light" tt="none">
                      {PASSKEYS.synced}
                    </Badge>
                  )}
                </>
              }
              detail={
                <>
                  {PASSKEYS.made} <Time at={createdAt} /> · {PASSKEYS.used}{" "}
                  {lastUsedAt === null ? PASSKEYS.never : <Time at={lastUsedAt} />}
                </>
              }
              actions={
                <>
                  {isOwn && (
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={`${PASSKEYS.rename}: ${name}`}
                      onClick={() => setNamed(passkey)}
                    >
                      {PASSKEYS.rename}
                    </Button>
                  )}
                  <RemoveButton
                    of={name}
                    title={PASSKEYS.removeTitle}
                    text={PASSKEYS.removeText(name)}
                    action={SHELL.remove}
                    onConfirm={() => drop.mutate({ params: { id } })}
                  />
                </>
              }
            />
          );
        })}
      </PlainList>
      <Dialogue opened={named !== undefined} onClose={() => setNamed(undefined)} title={PASSKEYS.rename}>
        {named !== undefined && <NewName passkey={named} onDone={() => setNamed(undefined)} />}
      </Dialogue>
    </>
  );
}

function NewPasskey({ onDone }: { readonly onDone: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(browserName());
  const [password, setPassword] = useState("");
  const add = useMutation({
    meta: { isShown: true },
    mutationFn: () => addPasskey(name.trim(), password),
    onSuccess: async () => {
      await refresh(client, ...REFRESHES);
      toastDone(PASSKEYS.added);
      onDone();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Stack>
        <Text size="sm">{PASSKEYS.addText(location.hostname)}</Text>
        <Name value={name} onChange={setName} />
        <PasswordInput
          label={PASSKEYS.password}
          autoComplete="current-password"
          value={password}
          onChange={({ currentTarget }) => setPassword(currentTarget.value)}
          required
        />
        <FormEnd
          action={PASSKEYS.make}
          work={add}
          isDisabled={name.trim() === "" || password === ""}
          onCancel={onDone}
        />
      </Stack>
    </form>
  );
}

function NewName({ passkey: { id, name }, onDone }: { readonly passkey: Passkey; readonly onDone: () => void }) {
  const [value, setValue] = useState(name);
  const rename = useAction(PASSKEY_ROUTES.renamePasskey, { showsError: true, refreshes: REFRESHES, onDone });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        rename.mutate({ params: { id }, body: { name: value.trim() } });
      }}
    >
      <Stack>
        <Name value={value} onChange={setValue} />
        <FormEnd action={PASSKEYS.save} work={rename} isDisabled={value.trim() === ""} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function Name({ value, onChange }: { readonly value: string; readonly onChange: (name: string) => void }) {
  return (
    <TextInput
      label={PASSKEYS.name}
      description={PASSKEYS.nameHint}
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      maxLength={PASSKEY_NAME_LENGTH}
      required
      data-autofocus
    />
  );
}
