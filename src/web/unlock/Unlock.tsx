// The door of a vault, the only one there is: passphrase, recovery key or passkey. What is typed goes to the worker and nowhere else.

import {
  Alert,
  Button,
  Center,
  Group,
  Loader,
  NativeSelect,
  Paper,
  PasswordInput,
  SegmentedControl,
  Stack,
  Text,
  Textarea,
  ThemeIcon,
  Title,
} from "@mantine/core";
import { IconAlertTriangle, IconLock } from "@tabler/icons-react";
import { type FormEvent, useEffect, useState } from "react";
import { type AppError, isAppError } from "../../core/errors.ts";
import type { KeyslotId } from "../../core/ids.ts";
import type { Unlocking, UnlockStep } from "../engine/reader-api.ts";
import { ErrorNote } from "../parts/ErrorNote.tsx";
import { FILES } from "../strings/files.ts";
import { type Locked, openLocked, unlockVault, useVault } from "./vault-store.ts";

const WORDS = FILES.locked;

type Props = {
  readonly vault: string;
  readonly name: string;
  /** Without a frame and a title: within something that has both. */
  readonly isBare?: boolean;
};

export function Unlock({ vault, name, isBare = false }: Props) {
  const [locked, setLocked] = useState<Locked>();
  const [error, setError] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt opens it anew
  useEffect(() => {
    let isOver = false;
    let opened: Locked | undefined;
    setError(undefined);
    openLocked(vault).then(
      (found) => {
        opened = found;
        if (isOver) found.client.close();
        else setLocked(found);
      },
      (cause: unknown) => !isOver && setError(cause),
    );
    return () => {
      isOver = true;
      // An unlocked one is the store's from then on.
      if (opened && !wasUnlocked.has(opened)) opened.client.close();
    };
  }, [vault, attempt]);

  if (error !== undefined) return <ErrorNote error={error} onRetry={() => setAttempt((count) => count + 1)} />;
  if (!locked) {
    return (
      <Center mih={240}>
        <Loader role="img" aria-label={FILES.loading} />
      </Center>
    );
  }
  return <Door locked={locked} name={name} isBare={isBare} />;
}

const wasUnlocked = new WeakSet<Locked>();

type Way = Unlocking["by"];

function Door({ locked, name, isBare }: Omit<Required<Props>, "vault"> & { readonly locked: Locked }) {
  const { wasLocked } = useVault();
  const passkeys = locked.keyslots.filter(({ kind }) => kind === "passkey");
  const canPasskey = passkeys.length > 0 && "PublicKeyCredential" in globalThis;
  const [way, setWay] = useState<Way>(canPasskey ? "passkey" : "passphrase");
  const [text, setText] = useState("");
  const [slot, setSlot] = useState<KeyslotId | undefined>(passkeys[0]?.id);
  const [step, setStep] = useState<UnlockStep>();
  const [error, setError] = useState<AppError>();

  const unlock = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    setError(undefined);
    setStep("checking");
    const how: Unlocking =
      way === "passphrase"
        ? { by: way, passphrase: text }
        : way === "recovery"
          ? { by: way, text }
          : { by: way, slot: slot! };
    try {
      wasUnlocked.add(locked);
      await unlockVault(locked, name, how, setStep);
    } catch (cause) {
      wasUnlocked.delete(locked);
      if (!isAppError(cause)) throw cause;
      setError(cause);
    } finally {
      setStep(undefined);
    }
  };
  const accept = async (): Promise<void> => {
    await locked.client.call("acceptHead", null);
    await unlock();
  };
  const ways: { value: Way; label: string }[] = [
    ...(canPasskey ? [{ value: "passkey" as const, label: WORDS.passkey }] : []),
    { value: "passphrase", label: WORDS.passphrase },
    { value: "recovery", label: WORDS.recovery },
  ];
  const wrong =
    error && isAppError(error, "passphrase_wrong")
      ? way === "recovery"
        ? WORDS.wrongRecovery
        : WORDS.wrong
      : undefined;
  const form = (
    <form onSubmit={(event) => void unlock(event)}>
      <Stack gap="md">
        {!isBare && <Heading name={name} isAgain={wasLocked !== undefined} />}
        <SegmentedControl
          fullWidth
          data-fleeting
          aria-label={WORDS.how}
          value={way}
          onChange={(value) => {
            setWay(value as Way);
            setText("");
            setError(undefined);
          }}
          data={ways}
        />
        {way === "passphrase" && (
          <PasswordInput
            label={WORDS.passphrase}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
            error={wrong}
            size="md"
          />
        )}
        {way === "recovery" && (
          <Textarea
            label={WORDS.recoveryLabel}
            description={WORDS.recoveryHelp}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autosize
            minRows={3}
            maxRows={8}
            spellCheck={false}
            autoComplete="off"
            error={wrong}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          />
        )}
        {way === "passkey" && (
          <Stack gap="xs">
            {passkeys.length > 1 && (
              <NativeSelect
                label={WORDS.whichPasskey}
                value={slot ?? ""}
                onChange={(event) => setSlot(event.currentTarget.value as KeyslotId)}
                data={passkeys.map(({ id, label }) => ({ value: id, label }))}
              />
            )}
            <Text size="sm" c="dimmed" ta="center">
              {WORDS.passkeyHelp}
            </Text>
          </Stack>
        )}
        {error && wrong === undefined && !isAppError(error, "rollback") && <ErrorNote error={error} />}
        {error && isAppError(error, "rollback") && (
          <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={WORDS.rollback} role="alert">
            <Stack gap="sm">
              <Text size="sm">{error.message}</Text>
              <Text size="sm">{WORDS.rollbackText}</Text>
              <Group>
                <Button size="xs" color="red" variant="default" onClick={() => void accept()}>
                  {WORDS.accept}
                </Button>
              </Group>
            </Stack>
          </Alert>
        )}
        <Button type="submit" size="md" loading={step !== undefined} disabled={way !== "passkey" && text === ""}>
          {WORDS.unlock}
        </Button>
        <Text size="xs" c="dimmed" ta="center" role="status" mih={18}>
          {step === undefined
            ? ""
            : step === "checking"
              ? WORDS.checking
              : way === "passkey"
                ? WORDS.passkeyHelp
                : WORDS.opening}
        </Text>
      </Stack>
    </form>
  );
  if (isBare) return form;
  return (
    <Center>
      <Paper withBorder radius="lg" p={{ base: "lg", sm: "xl" }} w="100%" maw={480}>
        {form}
      </Paper>
    </Center>
  );
}

function Heading({ name, isAgain }: { readonly name: string; readonly isAgain: boolean }) {
  return (
    <Stack align="center" gap={6}>
      <ThemeIcon size={52} radius="xl" variant="light">
        <IconLock size={26} stroke={1.6} aria-hidden />
      </ThemeIcon>
      <Title order={2} size="h3" ta="center">
        {WORDS.title(name)}
      </Title>
      <Text c="dimmed" size="sm" ta="center">
        {isAgain ? FILES.lockedByItself : WORDS.text}
      </Text>
    </Stack>
  );
}
