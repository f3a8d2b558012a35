// Sets an authenticator up (RFC 6238), with its recovery codes; turns it off again.

import { Badge, Button, Code, Group, PasswordInput, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { AUTH_ROUTES } from "../../../wire/v4/api/auth-routes.ts";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { lookAgain, useRights } from "../../api/session.ts";
import { useAction } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { CodeInput } from "../../parts/CodeInput.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { QrCode } from "../../parts/QrCode.tsx";
import { saveText } from "../../parts/save-file.ts";
import { toastDone } from "../../parts/toast.tsx";
import { SECURITY } from "../../strings/settings.ts";

type Deed = "setUp" | "turnOff" | "newCodes";

export function SecondFactor() {
  const { me } = useRights();
  const [deed, setDeed] = useState<Deed | undefined>();
  const hasFactor = me?.hasFactor ?? false;
  const close = (): void => setDeed(undefined);
  return (
    <Card
      title={SECURITY.factor}
      text={hasFactor ? SECURITY.factorOn : SECURITY.factorOff}
      actions={
        <Badge size="lg" variant="light" color={hasFactor ? "green" : "gray"} tt="none">
          {hasFactor ? SECURITY.isOn : SECURITY.isOff}
        </Badge>
      }
    >
      <Group>
        {hasFactor ? (
          <>
            <Button variant="default" onClick={() => setDeed("newCodes")}>
              {SECURITY.newCodes}
            </Button>
            <Button variant="default" onClick={() => setDeed("turnOff")}>
              {SECURITY.turnOff}
            </Button>
          </>
        ) : (
          <Button onClick={() => setDeed("setUp")}>{SECURITY.setUp}</Button>
        )}
      </Group>
      <Dialogue
        opened={deed !== undefined}
        onClose={close}
        title={deed === undefined ? "" : SECURITY[deed]}
        closeOnClickOutside={false}
        size="md"
      >
        {deed === "setUp" && <SetUp onDone={close} />}
        {deed === "turnOff" && <TurnOff onDone={close} />}
        {deed === "newCodes" && <NewCodes onDone={close} />}
      </Dialogue>
    </Card>
  );
}

function SetUp({ onDone }: { readonly onDone: () => void }) {
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const [isOn, setOn] = useState(false);
  const begin = useAction(AUTH_ROUTES.enableFactor, { showsError: true });
  const verify = useAction(AUTH_ROUTES.verifyTotp, {
    showsError: true,
    async onDone() {
      setOn(true);
      toastDone(SECURITY.on);
      await lookAgain(client);
    },
  });
  if (begin.data === undefined) {
    return <AskPassword action={begin} onPassword={(password) => begin.mutate({ body: { password } })} />;
  }
  if (isOn) return <RecoveryCodes codes={begin.data.recoveryCodes} onDone={onDone} />;
  const { totpURI } = begin.data;
  const secret = new URL(totpURI).searchParams.get("secret") ?? "";
  const submit = (given: string): void => verify.mutate({ body: { code: given } }, { onError: () => setCode("") });
  return (
    <Stack>
      <Text fw={500}>{SECURITY.scan}</Text>
      <Group justify="center">
        <QrCode text={totpURI} label={SECURITY.scanAlt} />
      </Group>
      <Text size="sm">{SECURITY.orType}</Text>
      <CopyLine value={secret} label={SECURITY.orType} />
      <Text fw={500}>{SECURITY.thenCode}</Text>
      <CodeInput label={SECURITY.thenCode} value={code} onChange={setCode} onComplete={submit} />
      {verify.isError && <ErrorNote error={verify.error} />}
      <Button onClick={() => submit(code)} disabled={code.length < 6} loading={verify.isPending}>
        {SECURITY.verify}
      </Button>
    </Stack>
  );
}

function TurnOff({ onDone }: { readonly onDone: () => void }) {
  const off = useAction(AUTH_ROUTES.disableFactor, {
    showsError: true,
    refreshes: [PEOPLE_ROUTES.me],
    onDone() {
      toastDone(SECURITY.off);
      onDone();
    },
  });
  return <AskPassword action={off} onPassword={(password) => off.mutate({ body: { password } })} />;
}

function NewCodes({ onDone }: { readonly onDone: () => void }) {
  const codes = useAction(AUTH_ROUTES.recoveryCodes, { showsError: true });
  if (codes.data !== undefined) return <RecoveryCodes codes={codes.data.recoveryCodes} onDone={onDone} />;
  return <AskPassword action={codes} onPassword={(password) => codes.mutate({ body: { password } })} />;
}

function AskPassword({
  action,
  onPassword,
}: {
  readonly action: { readonly isPending: boolean; readonly isError: boolean; readonly error: unknown };
  readonly onPassword: (password: string) => void;
}): ReactNode {
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onPassword(password);
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <PasswordInput
          label={SECURITY.confirmPassword}
          autoComplete="current-password"
          value={password}
          onChange={({ currentTarget }) => setPassword(currentTarget.value)}
          required
          data-autofocus
        />
        {action.isError && <ErrorNote error={action.error} />}
        <Button type="submit" loading={action.isPending}>
          {SECURITY.go}
        </Button>
      </Stack>
    </form>
  );
}

function RecoveryCodes({ codes, onDone }: { readonly codes: readonly string[]; readonly onDone: () => void }) {
  return (
    <Stack>
      <Text fw={500}>{SECURITY.recovery}</Text>
      <Text size="sm">{SECURITY.recoveryText}</Text>
      <SimpleGrid cols={2} spacing="xs">
        {codes.map((code) => (
          <Code key={code} ta="center" p={6} fz="sm">
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <Group>
        <Button
          variant="default"
          leftSection={<IconDownload size={18} aria-hidden />}
          onClick={() => saveText("cyberbackup-recovery-codes.txt", `${codes.join("\n")}\n`)}
        >
          {SECURITY.download}
        </Button>
        <Button onClick={onDone}>{SECURITY.savedThem}</Button>
      </Group>
    </Stack>
  );
}
