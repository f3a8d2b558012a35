// What a plan backs up, and what it leaves out.

import {
  Accordion,
  NumberInput,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { PLAN_LIMITS } from "../../../wire/v4/plan-body.ts";
import { Card } from "../../parts/Card.tsx";
import { PLANS } from "../../strings/plans.ts";
import type { PlanDraft } from "./plan-draft.ts";

const WORDS = PLANS.what;
const MONO = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

export type PartProps = {
  readonly draft: PlanDraft;
  readonly set: (change: Partial<PlanDraft>) => void;
  /** By the field's path in the schema. */
  readonly errorOf: (field: string) => string | undefined;
  /** Nothing can be clicked: what would fold is open. */
  readonly isReadOnly: boolean;
};

export function PlanWhat(props: PartProps & { readonly givenName: string | undefined }) {
  const { draft, set, errorOf, isReadOnly, givenName } = props;
  const isRenamed = givenName !== undefined && draft.name.trim() !== givenName;
  return (
    <Card title={WORDS.title}>
      <Stack>
        <TextInput
          label={WORDS.name}
          description={isRenamed ? WORDS.renamed : WORDS.nameHelp}
          value={draft.name}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          error={errorOf("name")}
          autoComplete="off"
          spellCheck={false}
          required
          withAsterisk={false}
          maw={420}
        />
        <SegmentedControl
          aria-label={WORDS.kind}
          value={draft.isCommand ? "command" : "files"}
          onChange={(value) => set({ isCommand: value === "command" })}
          data={[
            { value: "files", label: WORDS.files },
            { value: "command", label: WORDS.command },
          ]}
          maw={420}
        />
        {draft.isCommand ? (
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Lines
              label={WORDS.argv}
              description={WORDS.argvHelp}
              placeholder={WORDS.argvHint}
              value={draft.argv}
              onChange={(argv) => set({ argv })}
              error={errorOf("command.argv")}
            />
            <TextInput
              label={WORDS.filename}
              description={"\u00a0"}
              placeholder={WORDS.filenameHint}
              value={draft.filename}
              onChange={({ currentTarget }) => set({ filename: currentTarget.value })}
              error={errorOf("command.filename")}
            />
          </SimpleGrid>
        ) : (
          <Lines
            label={WORDS.sources}
            description={WORDS.sourcesHelp}
            placeholder={WORDS.sourcesHint}
            value={draft.sources}
            onChange={(sources) => set({ sources })}
            error={errorOf("sources")}
          />
        )}
        {!draft.isCommand && (
          <Lines
            label={WORDS.exclude}
            description={WORDS.excludeHelp}
            value={draft.exclude}
            onChange={(exclude) => set({ exclude })}
            error={errorOf("exclude")}
          />
        )}
        <TagsInput
          label={WORDS.tags}
          description={WORDS.tagsHelp}
          value={[...draft.tags]}
          onChange={(tags) => set({ tags })}
          error={errorOf("tags")}
          maxTags={64}
          maw={420}
        />
        {!draft.isCommand && (
          <Accordion variant="contained" radius="md" defaultValue={isReadOnly ? "more" : null}>
            <Accordion.Item value="more">
              <Accordion.Control>{WORDS.more}</Accordion.Control>
              <Accordion.Panel>
                <Stack>
                  <SimpleGrid cols={{ base: 1, sm: 2 }}>
                    <Lines
                      label={WORDS.iexclude}
                      description={"\u00a0"}
                      value={draft.iexclude}
                      onChange={(iexclude) => set({ iexclude })}
                      error={errorOf("iexclude")}
                    />
                    <Lines
                      label={WORDS.excludeFiles}
                      description={WORDS.excludeFilesHelp}
                      value={draft.excludeFiles}
                      onChange={(excludeFiles) => set({ excludeFiles })}
                      error={errorOf("excludeFiles")}
                    />
                  </SimpleGrid>
                  <NumberInput
                    label={WORDS.larger}
                    suffix={WORDS.mib}
                    placeholder={WORDS.noLimit}
                    value={draft.excludeLargerThanMiB}
                    onChange={(excludeLargerThanMiB) => set({ excludeLargerThanMiB })}
                    error={errorOf("excludeLargerThanMiB")}
                    min={1}
                    allowDecimal={false}
                    maw={260}
                  />
                  <Switch
                    label={WORDS.caches}
                    checked={draft.excludeCaches}
                    onChange={({ currentTarget }) => set({ excludeCaches: currentTarget.checked })}
                  />
                  <Switch
                    label={WORDS.oneFileSystem}
                    checked={draft.oneFileSystem}
                    onChange={({ currentTarget }) => set({ oneFileSystem: currentTarget.checked })}
                  />
                </Stack>
              </Accordion.Panel>
            </Accordion.Item>
          </Accordion>
        )}
      </Stack>
    </Card>
  );
}

/** A list of which each line is an entry. */
export function Lines({
  onChange,
  ...props
}: {
  readonly label: string;
  readonly description?: string;
  readonly placeholder?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
}) {
  return (
    <Textarea
      {...props}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      autosize
      minRows={2}
      maxRows={12}
      maxLength={PLAN_LIMITS.text * 16}
      autoComplete="off"
      spellCheck={false}
      styles={MONO}
    />
  );
}
