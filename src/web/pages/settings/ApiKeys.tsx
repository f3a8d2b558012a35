// API keys of one's own.

import { Alert, Badge, Button, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { type Role, useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { PlainList, PlainRow } from "../../parts/PlainList.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveButton } from "../../parts/RemoveButton.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { KEYS, ROLES, SETTINGS } from "../../strings/settings.ts";
import { SHELL } from "../../strings/shell.ts";

export function ApiKeys() {
  const query = useApi(PEOPLE_ROUTES.apiKeys);
  const [isOpen, dialogue] = useDisclosure(false);
  const drop = useAction(PEOPLE_ROUTES.dropApiKey, {
    refreshes: [PEOPLE_ROUTES.apiKeys],
    onDone: () => toastDone(KEYS.removed),
  });
  const add = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={dialogue.open}>
      {KEYS.add}
    </Button>
  );
  return (
    <>
      <Card title={SETTINGS.sections.keys} text={KEYS.text} actions={add}>
        <QueryStates
          query={query}
          isEmpty={({ keys }) => keys.length === 0}
          empty={<EmptyNote isInCard icon={IconKey} title={KEYS.none} text={KEYS.noneText} />}
        >
          {({ keys }) => (
            <PlainList>
              {keys.map(({ id, name, start, role, lastUsedAt, expiresAt }) => (
                <PlainRow
                  key={id}
                  icon={IconKey}
                  title={name}
                  badges={
                    <Badge size="sm" variant="light" tt="none">
                      {ROLES[role]}
                    </Badge>
                  }
                  detail={
                    <>
                      <Text span ff="monospace" inherit>
                        {start}…
                      </Text>{" "}
                      · {KEYS.used} {lastUsedAt === null ? KEYS.never : <Time at={lastUsedAt} />} · {KEYS.ends}{" "}
                      {expiresAt === null ? KEYS.never : <Time at={expiresAt} />}
                    </>
                  }
                  actions={
                    <RemoveButton
                      of={name}
                      title={KEYS.remove}
                      text={KEYS.confirm(name)}
                      action={KEYS.remove}
                      onConfirm={() => drop.mutate({ params: { id } })}
                    />
                  }
                />
              ))}
            </PlainList>
          )}
        </QueryStates>
      </Card>
      <Dialogue opened={isOpen} onClose={dialogue.close} title={KEYS.add}>
        <NewKey onDone={dialogue.close} />
      </Dialogue>
    </>
  );
}

function NewKey({ onDone }: { readonly onDone: () => void }) {
  const { me, roleIn } = useRights();
  const most: Role = roleIn() ?? me?.grants[0]?.role ?? "viewer";
  const roles = (["viewer", "operator", "owner"] as const).slice(0, ["viewer", "operator", "owner"].indexOf(most) + 1);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState("90");
  const make = useAction(PEOPLE_ROUTES.addApiKey, { showsError: true, refreshes: [PEOPLE_ROUTES.apiKeys] });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate({ body: { name: name.trim(), role, days: days === "0" ? null : Number(days) } });
  };
  if (make.data !== undefined) {
    return (
      <Stack>
        <Alert variant="light" title={KEYS.made}>
          {KEYS.madeText}
        </Alert>
        <CopyLine value={make.data.key} label={KEYS.made} />
        <Button onClick={onDone}>{SHELL.done}</Button>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label={KEYS.name}
          description={KEYS.nameHint}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          maxLength={100}
          required
          data-autofocus
        />
        <NativeSelect
          label={KEYS.role}
          description={ROLES.help[role]}
          value={role}
          onChange={({ currentTarget }) => setRole(currentTarget.value as Role)}
          data={roles.map((value) => ({ value, label: ROLES[value] }))}
        />
        <NativeSelect
          label={KEYS.days}
          value={days}
          onChange={({ currentTarget }) => setDays(currentTarget.value)}
          data={["7", "30", "90", "365", "0"].map((value) => ({
            value,
            label: KEYS.dayChoices[Number(value) as keyof typeof KEYS.dayChoices],
          }))}
        />
        <FormEnd action={KEYS.add} work={make} onCancel={onDone} />
      </Stack>
    </form>
  );
}
