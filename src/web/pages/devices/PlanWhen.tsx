// When a plan runs: the schedule in words, and the next times that come of them, in the plan's time zone.

import { Button, Group, List, NumberInput, Select, SimpleGrid, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { isAppError } from "../../../core/errors.ts";
import { type Occurrence, openCalendar } from "../../../engine/schedule.ts";
import { parseSchedule, type Schedule } from "../../../wire/v4/plan-schedule.ts";
import { formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { useNow } from "../../parts/Time.tsx";
import { PLANS } from "../../strings/plans.ts";
import type { PartProps } from "./PlanWhat.tsx";
import type { PlanDraft } from "./plan-draft.ts";

const WORDS = PLANS.when;
const SHOWN = 5;
const MINUTE_MS = 60_000;
const here = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

type Props = PartProps & {
  /** Of the schedule, told while it is typed. */
  readonly problem: string | undefined;
};

export function PlanWhen({ draft, set, errorOf, problem }: Props) {
  const zones = useMemo(() => [...new Set([here(), "UTC", ...Intl.supportedValuesOf("timeZone")])], []);
  // A zone that this browser does not list is shown as it is.
  const data = draft.timeZone === "" || zones.includes(draft.timeZone) ? zones : [draft.timeZone, ...zones];
  return (
    <Card title={WORDS.title}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <Stack>
          <TextInput
            label={WORDS.schedule}
            description={WORDS.scheduleHelp}
            value={draft.schedule}
            onChange={({ currentTarget }) => set({ schedule: currentTarget.value })}
            error={draft.schedule.trim() === "" ? errorOf("schedule") : problem}
            autoComplete="off"
            required
            withAsterisk={false}
          />
          <Group gap={6} role="group" aria-label={WORDS.examples}>
            {WORDS.choices.map((schedule) => (
              <Button key={schedule} size="compact-xs" variant="default" onClick={() => set({ schedule })}>
                {schedule}
              </Button>
            ))}
          </Group>
          <Select
            label={WORDS.timeZone}
            placeholder={WORDS.timeZoneDevice}
            value={draft.timeZone || null}
            onChange={(timeZone) => set({ timeZone: timeZone ?? "" })}
            data={data}
            error={errorOf("timeZone")}
            searchable
            clearable
            limit={40}
            maxDropdownHeight={240}
          />
        </Stack>
        <Preview draft={draft} />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <NumberInput
          label={WORDS.jitter}
          description={WORDS.jitterHelp}
          suffix={WORDS.minutes}
          value={draft.jitterMinutes}
          onChange={(jitterMinutes) => set({ jitterMinutes })}
          error={errorOf("jitterMinutes")}
          min={0}
          max={720}
          allowDecimal={false}
        />
        <NumberInput
          label={WORDS.overdue}
          description={WORDS.overdueHelp}
          suffix={WORDS.hours}
          placeholder={WORDS.neverAlert}
          value={draft.overdueAfterHours}
          onChange={(overdueAfterHours) => set({ overdueAfterHours })}
          error={errorOf("overdueAfterHours")}
          min={1}
          allowDecimal={false}
        />
      </SimpleGrid>
      <Stack gap="sm">
        <Switch
          label={WORDS.enabled}
          checked={draft.enabled}
          onChange={({ currentTarget }) => set({ enabled: currentTarget.checked })}
        />
        <Switch
          label={WORDS.catchUp}
          description={WORDS.catchUpHelp}
          checked={draft.catchUp}
          onChange={({ currentTarget }) => set({ catchUp: currentTarget.checked })}
        />
        <Switch
          label={WORDS.battery}
          checked={draft.waitsOnBattery}
          onChange={({ currentTarget }) => set({ waitsOnBattery: currentTarget.checked })}
        />
      </Stack>
    </Card>
  );
}

function Preview({ draft: { schedule, timeZone, enabled, jitterMinutes } }: { readonly draft: PlanDraft }) {
  // To the minute, so that a tick of the clock does not count it anew.
  const minute = Math.floor(useNow() / MINUTE_MS) * MINUTE_MS;
  const zone = timeZone || here();
  const next = useMemo(() => nextTimes(schedule, zone, minute), [schedule, zone, minute]);
  const jitter = Number(jitterMinutes);
  return (
    <Stack gap={6} role="status" aria-live="polite">
      <Text size="sm" fw={600}>
        {WORDS.preview}
      </Text>
      {next === undefined ? (
        <Text size="sm" c="dimmed">
          {WORDS.previewBad}
        </Text>
      ) : next.length === 0 ? (
        <Text size="sm">{WORDS.previewManual}</Text>
      ) : (
        <>
          <List size="sm" spacing={4} {...(!enabled && { c: "dimmed" })}>
            {next.map(({ at, until }) => (
              <List.Item key={at}>{momentWords(at, until, zone)}</List.Item>
            ))}
          </List>
          <Text size="xs" c="dimmed">
            {timeZone === "" ? WORDS.previewHere(zone) : WORDS.previewZone(zone)}{" "}
            {jitter > 0 && WORDS.previewJitter(formatCount(jitter))} {!enabled && WORDS.previewOff}
          </Text>
        </>
      )}
    </Stack>
  );
}

/** undefined for what is no schedule, or no time zone. */
function nextTimes(text: string, timeZone: string, now: number): Occurrence[] | undefined {
  let schedule: Schedule;
  try {
    schedule = parseSchedule(text);
    const calendar = openCalendar(schedule, timeZone);
    const found: Occurrence[] = [];
    for (let next = calendar.after(now); next && found.length < SHOWN; next = calendar.after(next.at)) found.push(next);
    return found;
  } catch (error) {
    if (isAppError(error, "plan_invalid")) return undefined;
    throw error;
  }
}

function momentWords(at: number, until: number | undefined, timeZone: string): string {
  const time = { hour: "2-digit", minute: "2-digit", timeZone } as const;
  const format = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", ...time });
  const begin = format.format(at);
  return until === undefined ? begin : WORDS.window(begin, new Intl.DateTimeFormat(undefined, time).format(until));
}
