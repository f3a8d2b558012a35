// Signing in: by a passkey, or by password, then the second factor of those who have one. The address is kept, so whoever was somewhere goes on there.

import { Alert, Anchor, Button, Checkbox, Divider, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { IconFingerprint, IconLogin2 } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { AUTH_ROUTES } from "../../wire/v4/api/auth-routes.ts";
import { PAGE_ROUTES } from "../../wire/v4/api/page-routes.ts";
import { call } from "../api/call.ts";
import { passkeysHere, signInByPasskey } from "../api/passkeys.ts";
import { finishByProvider, goToProvider, takeProviderAnswer } from "../api/provider.ts";
import { lookAgain } from "../api/session.ts";
import { useApi } from "../api/use-api.ts";
import { CodeInput } from "../parts/CodeInput.tsx";
import { ErrorNote } from "../parts/ErrorNote.tsx";
import { SIGN_IN } from "../strings/sign-in.ts";
import { GateLayout } from "./GateLayout.tsx";

export function SignInPage({ hasEnded }: { readonly hasEnded: boolean }) {
  const [needsFactor, setNeedsFactor] = useState(false);
  if (needsFactor) return <FactorStep onStartOver={() => setNeedsFactor(false)} />;
  return <PasswordStep hasEnded={hasEnded} onFactor={() => setNeedsFactor(true)} />;
}

function PasswordStep({ hasEnded, onFactor }: { readonly hasEnded: boolean; readonly onFactor: () => void }) {
  const client = useQueryClient();
  const reach = useApi(PAGE_ROUTES.reach);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [rememberMe, setRemember] = useState(true);
  const signIn = useMutation({
    meta: { isShown: true },
    mutationFn: () => call(AUTH_ROUTES.signIn, { body: { email: email.trim(), password, rememberMe } }),
    onSuccess: async ({ needsFactor }) => {
      setPassword("");
      await settle(needsFactor);
    },
  });
  const settle = async (needsFactor: boolean): Promise<void> => {
    if (needsFactor) onFactor();
    else await lookAgain(client);
  };
  const leave = useMutation({
    meta: { isShown: true },
    mutationFn: (provider: string) => goToProvider(provider, rememberMe),
  });
  const { mutate: comeBack, ...back } = useMutation({
    meta: { isShown: true },
    mutationFn: finishByProvider,
    onSuccess: settle,
  });
  useEffect(() => {
    const answer = takeProviderAnswer();
    if (answer !== undefined) comeBack(answer);
  }, [comeBack]);
  const providers = reach.data?.providers ?? [];
  const hasPasskeys = passkeysHere() === "there";
  const byPasskey = useMutation({
    meta: { isShown: true },
    mutationFn: () => signInByPasskey(rememberMe),
    onMutate: () => signIn.reset(),
    onSuccess: () => lookAgain(client),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    byPasskey.reset();
    signIn.mutate();
  };
  return (
    <GateLayout
      title={SIGN_IN.title}
      lead={hasEnded ? SIGN_IN.ended : SIGN_IN.lead}
      footer={
        <Stack gap={6} align="center">
          <span>{SIGN_IN.zeroKnowledge}</span>
          <Anchor component={Link} to="/trust" size="sm">
            {SIGN_IN.trust}
          </Anchor>
        </Stack>
      }
    >
      {reach.data?.hasOwner === false && (
        <Alert title={SIGN_IN.noOwner} variant="light">
          {SIGN_IN.noOwnerHelp}
        </Alert>
      )}
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput
            label={SIGN_IN.email}
            type="email"
            name="email"
            autoComplete="username"
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            autoFocus
            required
            size="md"
          />
          <PasswordInput
            label={SIGN_IN.password}
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            required
            size="md"
          />
          <Checkbox
            label={SIGN_IN.remember}
            checked={rememberMe}
            onChange={(event) => setRemember(event.currentTarget.checked)}
          />
          {signIn.isError && <ErrorNote error={signIn.error} />}
          <Button type="submit" size="md" loading={signIn.isPending} fullWidth>
            {SIGN_IN.submit}
          </Button>
          {(hasPasskeys || providers.length > 0) && <Divider label={SIGN_IN.or} />}
          {hasPasskeys && (
            <>
              {byPasskey.isError && <ErrorNote error={byPasskey.error} />}
              <Button
                variant="default"
                size="md"
                leftSection={<IconFingerprint size={20} aria-hidden />}
                loading={byPasskey.isPending}
                onClick={() => byPasskey.mutate()}
                fullWidth
              >
                {SIGN_IN.passkey}
              </Button>
            </>
          )}
          {leave.isError && <ErrorNote error={leave.error} />}
          {back.isError && <ErrorNote error={back.error} />}
          {providers.map(({ id, name }) => (
            <Button
              key={id}
              variant="default"
              size="md"
              leftSection={<IconLogin2 size={20} aria-hidden />}
              loading={back.isPending || ((leave.isPending || leave.isSuccess) && leave.variables === id)}
              onClick={() => {
                back.reset();
                leave.mutate(id);
              }}
              fullWidth
            >
              {SIGN_IN.withProvider(name)}
            </Button>
          ))}
        </Stack>
      </form>
    </GateLayout>
  );
}

function FactorStep({ onStartOver }: { readonly onStartOver: () => void }) {
  const client = useQueryClient();
  const [isRecovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const verify = useMutation({
    meta: { isShown: true },
    mutationFn: (given: string) => {
      const route = isRecovery ? AUTH_ROUTES.verifyRecoveryCode : AUTH_ROUTES.verifyTotp;
      return call(route, { body: { code: given } });
    },
    onSuccess: () => lookAgain(client),
    onError: () => setCode(""),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    verify.mutate(code.trim());
  };
  const swap = (): void => {
    setRecovery(!isRecovery);
    setCode("");
    verify.reset();
  };
  return (
    <GateLayout title={SIGN_IN.factorTitle} lead={isRecovery ? SIGN_IN.recoveryLead : SIGN_IN.factorLead}>
      <form onSubmit={submit}>
        <Stack gap="md">
          {isRecovery ? (
            <TextInput
              key="recovery"
              label={SIGN_IN.recoveryCode}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              autoComplete="off"
              autoFocus
              required
              size="md"
            />
          ) : (
            <CodeInput
              label={SIGN_IN.code}
              value={code}
              onChange={setCode}
              onComplete={(value) => verify.mutate(value)}
              isLarge
            />
          )}
          {verify.isError && <ErrorNote error={verify.error} />}
          <Button type="submit" size="md" loading={verify.isPending} fullWidth>
            {SIGN_IN.confirm}
          </Button>
          <Text size="sm" ta="center">
            <Anchor component="button" type="button" onClick={swap}>
              {isRecovery ? SIGN_IN.useAuthenticator : SIGN_IN.useRecovery}
            </Anchor>
            {" · "}
            <Anchor component="button" type="button" onClick={onStartOver}>
              {SIGN_IN.startOver}
            </Anchor>
          </Text>
        </Stack>
      </form>
    </GateLayout>
  );
}
