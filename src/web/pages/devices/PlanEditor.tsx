// The form in which a plan is read and changed: what is wrong stands beside each field, and what somebody else has changed meanwhile is decided here.

import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconPlugOff } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useMemo, useRef, useState } from "react";
import { isAppError } from "../../../core/errors.ts";
import { planIssues } from "../../../engine/plan-check.ts";
import type { DeviceState } from "../../../wire/v4/api/overview-routes.ts";
import type { StoredPlan } from "../../../wire/v4/api/plan-routes.ts";
import { readPlan } from "../../../wire/v4/plan-body.ts";
import { useRights } from "../../api/session.ts";
import { plural } from "../../format/numbers.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { useUnsaved } from "../../parts/use-unsaved.ts";
import { PLANS } from "../../strings/plans.ts";
import { SHELL } from "../../strings/shell.ts";
import { PlanHow, PlanKeep, PlanPrograms } from "./PlanHow.tsx";
import { PlanRetention } from "./PlanRetention.tsx";
import { PlanWhat } from "./PlanWhat.tsx";
import { PlanWhen } from "./PlanWhen.tsx";
import { draftOf, type PlanDraft, planOf } from "./plan-draft.ts";
import type { RetentionWish } from "./plan-retention.ts";
import { wordsByField } from "./plan-words.ts";
import { type KnownPlan, useSavePlan } from "./use-plans.ts";

type Props = {
  readonly item: DeviceState;
  readonly id: string;
  readonly known: KnownPlan | undefined;
  /** As the server has it now, removed or not. */
  readonly there: StoredPlan | undefined;
  readonly plans: readonly KnownPlan[];
};

export function PlanEditor({ item, id, known, there, plans }: Props) {
  const { vault, device } = item;
  const navigate = useNavigate();
  const rights = useRights();
  const mayChange = rights.may("operator", vault) && !item.revoked;
  const [draft, setDraft] = useState<PlanDraft>(() => draftOf(known?.body ?? NEW_PLAN));
  /** The version that the draft was made from. */
  const [base, setBase] = useState(known?.stored.version ?? 0);
  const [hasTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const [wish, setWish] = useState<RetentionWish | undefined>();
  const keep = useUnsaved([draft, wish]);
  const words = useMemo(() => {
    const found = new Map(wordsByField(planIssues(planOf(draft))));
    const isTaken = plans.some(({ stored, body }) => stored.plan !== id && body?.name === draft.name.trim());
    if (isTaken) found.set("name", PLANS.what.nameTaken);
    return found;
  }, [draft, plans, id]);
  const save = useSavePlan(item, {
    showsError: true,
    onDone() {
      keep();
      toastDone(item.isConnected ? PLANS.saved : PLANS.savedAway);
      void navigate({ to: `/devices/${vault}/${device}` });
    },
  });
  const send = (from: number): void => {
    setTried(true);
    if (words.size === 0) save.mutate({ id, base: from, body: planOf(draft), retention: wish });
    // Once the marks are drawn.
    else requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    send(base);
  };
  const set = (change: Partial<PlanDraft>): void => setDraft((before) => ({ ...before, ...change }));
  const errorOf = (field: string): string | undefined => (hasTried ? words.get(field) : undefined);
  const part = { draft, set, errorOf, isReadOnly: !mayChange };
  const isConflict =
    (base > 0 && there?.version !== base && !save.isPending) || isAppError(save.error, "plan_conflict");
  const takeTheirs = (): void => {
    if (known?.body) {
      const theirs = draftOf(known.body);
      setDraft(theirs);
      keep([theirs, undefined]);
      setWish(undefined);
    }
    setBase(there?.version ?? 0);
    save.reset();
  };
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="lg">
        {!item.isConnected && (
          <Alert variant="light" color="gray" icon={<IconPlugOff aria-hidden />}>
            <Stack gap="xs">
              <Text size="sm">{PLANS.away}</Text>
              <CopyLine value={PLANS.agentCommand} />
            </Stack>
          </Alert>
        )}
        <fieldset disabled={!mayChange} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
          <Stack gap="lg">
            <PlanWhat {...part} givenName={known?.body?.name} />
            <PlanWhen {...part} problem={words.get("schedule")} />
            <PlanHow {...part} />
            <PlanPrograms {...part} />
            <PlanRetention vault={vault} name={draft.name.trim()} wish={wish} onWish={setWish}>
              <PlanKeep {...part} />
            </PlanRetention>
          </Stack>
        </fieldset>
        {isConflict && (
          <Conflict
            isRemoved={there?.deleted !== false}
            onTheirs={known?.body ? takeTheirs : undefined}
            onMine={() => {
              const newest = there?.version ?? 0;
              setBase(newest);
              send(newest);
            }}
          />
        )}
        {save.isError && !isConflict && <ErrorNote error={save.error} />}
        {mayChange ? (
          <Group justify="flex-end">
            <Text size="sm" c="var(--cb-bad)" role="status" flex={1}>
              {hasTried && words.size > 0 ? plural(words.size, PLANS.check.one, PLANS.check.many) : ""}
            </Text>
            <Button component={Link} to={`/devices/${vault}/${device}`} variant="default">
              {SHELL.cancel}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {PLANS.save}
            </Button>
          </Group>
        ) : (
          <Text size="sm" c="dimmed">
            {PLANS.notAllowed}
          </Text>
        )}
      </Stack>
    </form>
  );
}

function Conflict(props: {
  readonly isRemoved: boolean;
  readonly onTheirs: (() => void) | undefined;
  readonly onMine: () => void;
}) {
  const { isRemoved, onTheirs, onMine } = props;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={PLANS.conflict.title}
      role="alert"
    >
      <Stack gap="sm">
        <Text size="sm">{isRemoved ? PLANS.conflict.removed : PLANS.conflict.text}</Text>
        <Group gap="sm">
          {onTheirs && (
            <Button size="xs" variant="default" onClick={onTheirs}>
              {PLANS.conflict.theirs}
            </Button>
          )}
          <Button size="xs" color="red.8" onClick={onMine}>
            {PLANS.conflict.mine}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}

const NEW_PLAN = {
  ...readPlan({ name: "x", sources: ["/"], schedule: "every day between 22:00 and 06:00" }),
  ...{ name: "", sources: [] },
};
