// Makes a channel of notifications.

import { Alert, Button, Group, NativeSelect, NumberInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { CHANNEL_KINDS, type ChannelKind, NOTIFY_ROUTES } from "../../../wire/v4/api/notify-routes.ts";
import type { Route } from "../../../wire/v4/api/route.ts";
import { useRights } from "../../api/session.ts";
import { useAction } from "../../api/use-api.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { NOTIFY } from "../../strings/notifications.ts";
import { SHELL } from "../../strings/shell.ts";

export function NewChannel({
  hasMail,
  refreshes,
  onDone,
}: {
  readonly hasMail: boolean;
  readonly refreshes: readonly Route[];
  readonly onDone: () => void;
}) {
  const { may } = useRights();
  const isOwner = may("owner");
  const form = useForm({
    initialValues: {
      kind: (hasMail || !isOwner ? "email" : "ntfy") as ChannelKind,
      name: "",
      url: "",
      token: "",
      severity: "warning" as "warning" | "danger",
      digest: "none" as "none" | "hourly" | "daily",
      digestHour: 8,
    },
  });
  const add = useAction(NOTIFY_ROUTES.addNotificationChannel, {
    showsError: true,
    refreshes,
    onDone({ secret }) {
      if (secret !== null) return;
      toastDone(NOTIFY.added);
      onDone();
    },
  });
  const { kind, digest } = form.values;
  const secret = add.data?.secret ?? null;
  if (secret !== null) {
    return (
      <Stack>
        <Alert variant="light" title={NOTIFY.secret}>
          {NOTIFY.secretText}
        </Alert>
        <CopyLine value={secret} label={NOTIFY.secret} />
        <Button onClick={onDone}>{SHELL.done}</Button>
      </Stack>
    );
  }
  return (
    <form
      onSubmit={form.onSubmit(({ name, url, token, ...choices }) =>
        add.mutate({
          body: {
            ...choices,
            name: name.trim() || NOTIFY.kinds[kind],
            timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
            ...(kind === "email" ? {} : { url: url.trim() }),
            ...(kind === "ntfy" && token !== "" ? { token } : {}),
          },
        }),
      )}
    >
      <Stack>
        <NativeSelect
          label={NOTIFY.kind}
          description={isOwner ? NOTIFY.kindHelp[kind] : NOTIFY.onlyOwner}
          data={CHANNEL_KINDS.filter((each) => isOwner || each === "email").map((value) => ({
            value,
            label: NOTIFY.kinds[value],
          }))}
          {...form.getInputProps("kind")}
        />
        {kind === "email" && !hasMail && <Alert color="orange">{NOTIFY.noMail}</Alert>}
        <TextInput
          label={NOTIFY.name}
          placeholder={NOTIFY.kinds[kind]}
          maxLength={100}
          {...form.getInputProps("name")}
        />
        {kind !== "email" && <TextInput label={NOTIFY.url} type="url" required {...form.getInputProps("url")} />}
        {kind === "ntfy" && <TextInput label={NOTIFY.token} autoComplete="off" {...form.getInputProps("token")} />}
        <Group grow align="flex-start">
          <NativeSelect
            label={NOTIFY.severity}
            data={(["warning", "danger"] as const).map((value) => ({ value, label: NOTIFY.severities[value] }))}
            {...form.getInputProps("severity")}
          />
          <NativeSelect
            label={NOTIFY.digest}
            data={(["none", "hourly", "daily"] as const).map((value) => ({ value, label: NOTIFY.digests[value] }))}
            {...form.getInputProps("digest")}
          />
        </Group>
        {digest === "daily" && (
          <NumberInput
            label={NOTIFY.hour}
            min={0}
            max={23}
            allowDecimal={false}
            {...form.getInputProps("digestHour")}
          />
        )}
        <FormEnd action={NOTIFY.add} work={add} onCancel={onDone} />
      </Stack>
    </form>
  );
}
