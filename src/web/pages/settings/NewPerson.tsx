// Makes an account; its link is handed over by whoever made it.

import { Alert, Button, NativeSelect, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import type { Role } from "../../api/session.ts";
import { useAction } from "../../api/use-api.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { PEOPLE, ROLES } from "../../strings/settings.ts";
import { SHELL } from "../../strings/shell.ts";

export const ROLE_CHOICES = (["none", "viewer", "operator", "owner"] as const).map((value) => ({
  value,
  label: ROLES[value],
}));

export function NewPerson({ onDone }: { readonly onDone: () => void }) {
  const form = useForm({ initialValues: { name: "", email: "", role: "viewer" as Role | "none" } });
  const add = useAction(PEOPLE_ROUTES.addPerson, { showsError: true, refreshes: [PEOPLE_ROUTES.people] });
  const token = add.data?.link?.token;
  if (token !== undefined) return <PersonLink token={token} onDone={onDone} />;
  return (
    <form
      onSubmit={form.onSubmit(({ name, email, role }) =>
        add.mutate({ body: { name: name.trim(), email: email.trim(), role: role === "none" ? null : role } }),
      )}
    >
      <Stack>
        <TextInput label={PEOPLE.name} required maxLength={100} data-autofocus {...form.getInputProps("name")} />
        <TextInput label={PEOPLE.email} type="email" required {...form.getInputProps("email")} />
        <NativeSelect
          label={PEOPLE.role}
          description={ROLES.help[form.values.role]}
          data={ROLE_CHOICES}
          {...form.getInputProps("role")}
        />
        <FormEnd action={PEOPLE.addAction} work={add} onCancel={onDone} />
      </Stack>
    </form>
  );
}

export function PersonLink({ token, onDone }: { readonly token: string; readonly onDone: () => void }) {
  return (
    <Stack>
      <Alert variant="light" title={PEOPLE.link}>
        {PEOPLE.linkText}
      </Alert>
      <CopyLine value={`${location.origin}/#/setup/${token}`} label={PEOPLE.link} />
      <Button onClick={onDone}>{SHELL.done}</Button>
    </Stack>
  );
}
