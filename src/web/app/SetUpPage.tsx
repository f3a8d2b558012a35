// Opens a link by which a password is chosen: that of the first owner, or of somebody who was invited. Then signs them in.

import { Anchor, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { isAppError } from "../../core/errors.ts";
import { AUTH_ROUTES } from "../../wire/v4/api/auth-routes.ts";
import { PAGE_ROUTES } from "../../wire/v4/api/page-routes.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { call } from "../api/call.ts";
import { lookAgain } from "../api/session.ts";
import { useApi } from "../api/use-api.ts";
import { ErrorNote } from "../parts/ErrorNote.tsx";
import { QueryStates } from "../parts/QueryStates.tsx";
import { SET_UP } from "../strings/sign-in.ts";
import { GateLayout } from "./GateLayout.tsx";

const SHORTEST = 10;

export function SetUpPage() {
  const { token } = useParams({ strict: false }) as { token: string };
  const reach = useApi(PAGE_ROUTES.reach, {}, { staleTime: Number.POSITIVE_INFINITY });
  const isOwner = reach.data?.hasOwner === false;
  return (
    <GateLayout
      title={isOwner ? SET_UP.ownerTitle : SET_UP.personTitle}
      lead={isOwner ? SET_UP.ownerLead : SET_UP.personLead}
    >
      <QueryStates query={reach}>
        {({ providers }) => (
          <Stack>
            <SetUpForm token={token} isOwner={isOwner} />
            {!isOwner && providers.length > 0 && (
              <Anchor component={Link} to="/" size="sm" ta="center">
                {SET_UP.byProvider(providers.map(({ name }) => name).join(", "))}
              </Anchor>
            )}
          </Stack>
        )}
      </QueryStates>
    </GateLayout>
  );
}

function SetUpForm({ token, isOwner }: { readonly token: string; readonly isOwner: boolean }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { name: "", email: "", password: "", repeat: "" },
    validate: {
      name: (name) => (isOwner && name.trim() === "" ? SET_UP.nameMissing : null),
      email: (email) => (isOwner && !/^\S+@\S+\.\S+$/.test(email.trim()) ? SET_UP.emailBad : null),
      password: (password) => (password.length < SHORTEST ? SET_UP.short : null),
      repeat: (repeat, { password }) => (repeat === password ? null : SET_UP.differ),
    },
  });
  const setUp = useMutation({
    meta: { isShown: true },
    async mutationFn({ name, email, password }: typeof form.values) {
      const asked = isOwner ? { token, name: name.trim(), email: email.trim(), password } : { token, password };
      const person = await call(PEOPLE_ROUTES.setup, { body: asked });
      return call(AUTH_ROUTES.signIn, { body: { email: person.email, password, rememberMe: true } });
    },
    async onSuccess() {
      await client.invalidateQueries({ queryKey: [PAGE_ROUTES.reach.path] });
      await lookAgain(client);
      await navigate({ to: isOwner ? "/welcome" : "/", replace: true });
    },
  });
  if (isAppError(setUp.error, "setup_invalid")) {
    return (
      <Stack>
        <ErrorNote error={setUp.error} />
        <Anchor component={Link} to="/">
          {SET_UP.toSignIn}
        </Anchor>
      </Stack>
    );
  }
  return (
    <form onSubmit={form.onSubmit((values) => setUp.mutate(values))} noValidate>
      <Stack gap="md">
        {isOwner && (
          <>
            <TextInput
              label={SET_UP.name}
              description={SET_UP.nameHint}
              autoComplete="name"
              autoFocus
              required
              {...form.getInputProps("name")}
            />
            <TextInput
              label={SET_UP.email}
              description={SET_UP.emailHint}
              type="email"
              autoComplete="username"
              required
              {...form.getInputProps("email")}
            />
          </>
        )}
        <PasswordInput
          label={SET_UP.password}
          description={SET_UP.passwordHint}
          autoComplete="new-password"
          required
          {...form.getInputProps("password")}
        />
        <PasswordInput label={SET_UP.repeat} autoComplete="new-password" required {...form.getInputProps("repeat")} />
        {setUp.isError && <ErrorNote error={setUp.error} />}
        <Button type="submit" size="md" loading={setUp.isPending} fullWidth>
          {isOwner ? SET_UP.create : SET_UP.choose}
        </Button>
      </Stack>
    </form>
  );
}
