// Name, address and role of an account, and its roles in single vaults.

import { ActionIcon, Button, Divider, Group, NativeSelect, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { PASSKEY_ROUTES } from "../../../wire/v4/api/passkey-routes.ts";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import type { Role } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { PASSKEYS, PEOPLE, ROLES } from "../../strings/settings.ts";
import { SHELL } from "../../strings/shell.ts";
import { ROLE_CHOICES } from "./NewPerson.tsx";
import { PasskeyList } from "./Passkeys.tsx";
import type { PersonRow } from "./People.tsx";

export function EditPerson({ person, onDone }: { readonly person: PersonRow; readonly onDone: () => void }) {
  const { id } = person;
  const form = useForm({
    initialValues: { name: person.name, email: person.email, role: (person.role ?? "none") as Role | "none" },
  });
  const edit = useAction(PEOPLE_ROUTES.editPerson, {
    showsError: true,
    refreshes: [PEOPLE_ROUTES.people, PEOPLE_ROUTES.me],
    onDone,
  });
  return (
    <Stack>
      <form
        onSubmit={form.onSubmit(({ name, email, role }) => {
          const body = { name: name.trim(), email: email.trim(), role: role === "none" ? null : role };
          edit.mutate({ params: { id }, body });
        })}
      >
        <Stack>
          <TextInput label={PEOPLE.name} required maxLength={100} {...form.getInputProps("name")} />
          <TextInput label={PEOPLE.email} type="email" required {...form.getInputProps("email")} />
          <NativeSelect
            label={PEOPLE.role}
            description={ROLES.help[form.values.role]}
            data={ROLE_CHOICES}
            {...form.getInputProps("role")}
          />
          <FormEnd action={PEOPLE.save} work={edit} />
        </Stack>
      </form>
      <Divider />
      <Grants id={id} />
      <TheirPasskeys person={id} />
    </Stack>
  );
}

function TheirPasskeys({ person }: { readonly person: string }) {
  const { data } = useApi(PASSKEY_ROUTES.passkeys, { query: { person } });
  if (data === undefined || data.passkeys.length === 0) return null;
  return (
    <>
      <Divider />
      <Title order={3} size="h5">
        {PASSKEYS.ofOthers}
      </Title>
      <PasskeyList passkeys={data.passkeys} isOwn={false} />
    </>
  );
}

function Grants({ id }: { readonly id: string }) {
  const query = useApi(PEOPLE_ROUTES.person, { params: { id } });
  const vaults = useApi(VAULT_ROUTES.vaults);
  const refreshes = [PEOPLE_ROUTES.person, PEOPLE_ROUTES.people];
  const set = useAction(PEOPLE_ROUTES.setGrant, { refreshes });
  const drop = useAction(PEOPLE_ROUTES.dropGrant, { refreshes });
  const [vault, setVault] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const all = vaults.data?.vaults ?? [];
  const nameOf = (wanted: string): string => all.find((each) => each.id === wanted)?.name ?? wanted.slice(0, 8);
  return (
    <Stack gap="sm">
      <Title order={3} size="h5">
        {PEOPLE.grants}
      </Title>
      <QueryStates query={query}>
        {({ grants }) => (
          <>
            {grants.length === 0 && (
              <Text size="sm" c="dimmed">
                {PEOPLE.grantsNone}
              </Text>
            )}
            {grants.map((grant) => (
              <Group key={grant.vault} justify="space-between">
                <Text size="sm">
                  {nameOf(grant.vault)}: {ROLES[grant.role]}
                </Text>
                <ActionIcon
                  variant="subtle"
                  color="red"
                  aria-label={`${SHELL.remove}: ${nameOf(grant.vault)}`}
                  onClick={() => drop.mutate({ params: { vault: grant.vault, id } })}
                >
                  <IconTrash size={18} aria-hidden />
                </ActionIcon>
              </Group>
            ))}
            {all.length > 0 && (
              <Group align="flex-end" data-fleeting>
                <NativeSelect
                  label={PEOPLE.grantVault}
                  value={vault || all[0]!.id}
                  onChange={({ currentTarget }) => setVault(currentTarget.value)}
                  data={all.map((each) => ({ value: each.id, label: each.name }))}
                />
                <NativeSelect
                  label={PEOPLE.role}
                  value={role}
                  onChange={({ currentTarget }) => setRole(currentTarget.value as Role)}
                  data={ROLE_CHOICES.slice(1)}
                />
                <Button
                  variant="default"
                  loading={set.isPending}
                  onClick={() => set.mutate({ params: { vault: vault || all[0]!.id, id }, body: { role } })}
                >
                  {PEOPLE.grantAdd}
                </Button>
              </Group>
            )}
          </>
        )}
      </QueryStates>
    </Stack>
  );
}
