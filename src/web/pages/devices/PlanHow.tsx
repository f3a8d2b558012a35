// How a plan runs: compression, bandwidth, tries, programs around it, and the rules that it carries with it.

import {
  Accordion,
  ActionIcon,
  Alert,
  Button,
  Group,
  NativeSelect,
  NumberInput,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconShieldLock, IconTrash } from "@tabler/icons-react";
import { Card } from "../../parts/Card.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { PLANS } from "../../strings/plans.ts";
import { Lines, type PartProps } from "./PlanWhat.tsx";
import { HOOKS, KEEP_RULES, type LimitDraft } from "./plan-draft.ts";

const WORDS = PLANS.how;
const LEVELS = ["fastest", "default", "better", "max", "off"] as const;
const RETRY_FIELDS = [
  ["times", WORDS.times, ""],
  ["firstWaitSeconds", WORDS.firstWait, WORDS.seconds],
  ["longestWaitSeconds", WORDS.longestWait, WORDS.seconds],
] as const;

export function PlanHow({ draft, set, errorOf }: PartProps) {
  const { uploadLimits, retries } = draft;
  const change = (key: number, fields: Partial<LimitDraft>): void =>
    set({ uploadLimits: uploadLimits.map((limit) => (limit.key === key ? { ...limit, ...fields } : limit)) });
  const add = (): void => {
    const key = Math.max(-1, ...uploadLimits.map((limit) => limit.key)) + 1;
    set({ uploadLimits: [...uploadLimits, { key, when: "", kibps: 1024 }] });
  };
  return (
    <Card title={WORDS.title}>
      <Stack>
        <NativeSelect
          label={WORDS.compression}
          value={draft.compression}
          onChange={({ currentTarget }) => set({ compression: currentTarget.value })}
          data={[
            { value: "", label: WORDS.deviceDefault },
            ...LEVELS.map((value) => ({ value, label: WORDS.levels[value] })),
          ]}
          maw={260}
        />
        <Stack gap="xs" role="group" aria-label={WORDS.limits}>
          <Text size="sm" fw={600}>
            {WORDS.limits}
          </Text>
          {uploadLimits.length > 1 && (
            <Text size="xs" c="dimmed">
              {WORDS.limitsHelp}
            </Text>
          )}
          {uploadLimits.map(({ key, when, kibps }, i) => (
            <Group key={key} gap="sm" align="flex-start">
              <TextInput
                aria-label={WORDS.limitWhen}
                placeholder={WORDS.limitWhenHint}
                value={when}
                onChange={({ currentTarget }) => change(key, { when: currentTarget.value })}
                error={errorOf(`uploadLimits.${i}.when`)}
                flex="1 1 240px"
              />
              <NumberInput
                aria-label={WORDS.limitRate}
                suffix={WORDS.kibps}
                value={kibps}
                onChange={(rate) => change(key, { kibps: rate })}
                error={errorOf(`uploadLimits.${i}.kibps`)}
                min={1}
                allowDecimal={false}
                w={150}
              />
              <ActionIcon
                variant="default"
                size="lg"
                aria-label={WORDS.removeLimit(i + 1)}
                onClick={() => set({ uploadLimits: uploadLimits.filter((limit) => limit.key !== key) })}
              >
                <IconTrash size={18} aria-hidden />
              </ActionIcon>
            </Group>
          ))}
          <Group>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconPlus size={16} aria-hidden />}
              onClick={add}
              disabled={uploadLimits.length >= 16}
            >
              {WORDS.addLimit}
            </Button>
          </Group>
        </Stack>
        <div>
          <SimpleGrid cols={{ base: 1, xs: 3 }}>
            {RETRY_FIELDS.map(([field, label, suffix]) => (
              <NumberInput
                key={field}
                label={label}
                suffix={suffix}
                value={retries[field]}
                onChange={(value) => set({ retries: { ...retries, [field]: value } })}
                error={errorOf(`retries.${field}`)}
                min={0}
                allowDecimal={false}
              />
            ))}
          </SimpleGrid>
          <Text size="xs" c="dimmed" mt={4}>
            {WORDS.retriesHelp}
          </Text>
        </div>
        <Switch
          label={WORDS.ping}
          description={WORDS.pingHelp}
          checked={draft.ping}
          onChange={({ currentTarget }) => set({ ping: currentTarget.checked })}
        />
      </Stack>
    </Card>
  );
}

/** What the plan carries with it, for vaults in folders. */
export function PlanKeep({ draft: { keep }, set, errorOf }: PartProps) {
  const words = PLANS.keep;
  return (
    <Accordion variant="contained" radius="md">
      <Accordion.Item value="own">
        <Accordion.Control>{words.own}</Accordion.Control>
        <Accordion.Panel>
          <Stack>
            <Text size="sm" c="dimmed">
              {words.ownHelp}
            </Text>
            <SimpleGrid cols={{ base: 2, sm: 4 }}>
              {KEEP_RULES.map((rule) => (
                <NumberInput
                  key={rule}
                  label={words.rules[rule]}
                  value={keep[rule]}
                  onChange={(value) => set({ keep: { ...keep, [rule]: value } })}
                  error={errorOf(`keep.${rule}`)}
                  min={0}
                  allowDecimal={false}
                />
              ))}
            </SimpleGrid>
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

export function PlanPrograms({ draft: { hooks, isCommand }, set, errorOf }: PartProps) {
  const words = PLANS.programs;
  const hasPrograms = isCommand || HOOKS.some((hook) => hooks[hook].argv.trim() !== "");
  return (
    <Card title={words.title} text={words.text}>
      <Stack>
        {hasPrograms && (
          <Alert variant="light" color="yellow" icon={<IconShieldLock aria-hidden />}>
            <Stack gap="xs">
              <Text size="sm">{words.care}</Text>
              <CopyLine value={PLANS.allowCommand} />
            </Stack>
          </Alert>
        )}
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          {HOOKS.map((hook) => (
            <Stack key={hook} gap="xs">
              <Lines
                label={words.hooks[hook]}
                description={words.hookHelp[hook]}
                value={hooks[hook].argv}
                onChange={(argv) => set({ hooks: { ...hooks, [hook]: { ...hooks[hook], argv } } })}
                error={errorOf(`hooks.${hook}.argv`)}
              />
              {hooks[hook].argv.trim() !== "" && (
                <NumberInput
                  label={words.seconds}
                  aria-label={words.secondsFor(words.hooks[hook])}
                  suffix={WORDS.seconds}
                  placeholder={words.secondsDefault}
                  value={hooks[hook].seconds}
                  onChange={(seconds) => set({ hooks: { ...hooks, [hook]: { ...hooks[hook], seconds } } })}
                  error={errorOf(`hooks.${hook}.seconds`)}
                  min={1}
                  allowDecimal={false}
                />
              )}
            </Stack>
          ))}
        </SimpleGrid>
      </Stack>
    </Card>
  );
}
