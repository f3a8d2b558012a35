// Changes one's own password.

import { PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { AUTH_ROUTES } from "../../../wire/v4/api/auth-routes.ts";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { useAction } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { useUnsaved } from "../../parts/use-unsaved.ts";
import { SECURITY } from "../../strings/settings.ts";

const SHORTEST = 10;

export function PasswordChange() {
  const form = useForm({
    initialValues: { current: "", next: "", repeat: "" },
    validate: {
      next: (next) => (next.length < SHORTEST ? SECURITY.short : null),
      repeat: (repeat, { next }) => (repeat === next ? null : SECURITY.differ),
    },
  });
  useUnsaved(form.values);
  const change = useAction(AUTH_ROUTES.changePassword, {
    showsError: true,
    refreshes: [PEOPLE_ROUTES.signIns],
    onDone() {
      form.reset();
      toastDone(SECURITY.changed);
    },
  });
  return (
    <Card title={SECURITY.password} text={SECURITY.passwordText}>
      <form
        onSubmit={form.onSubmit(({ current, next }) =>
          change.mutate({ body: { currentPassword: current, newPassword: next } }),
        )}
      >
        <Stack gap="md" maw={420}>
          <PasswordInput
            label={SECURITY.current}
            autoComplete="current-password"
            required
            {...form.getInputProps("current")}
          />
          <PasswordInput label={SECURITY.next} autoComplete="new-password" required {...form.getInputProps("next")} />
          <PasswordInput
            label={SECURITY.repeat}
            autoComplete="new-password"
            required
            {...form.getInputProps("repeat")}
          />
          <FormEnd action={SECURITY.change} work={change} />
        </Stack>
      </form>
    </Card>
  );
}
