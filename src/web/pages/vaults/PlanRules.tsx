// Rules for single plans, in place of the vault's own. The server knows plans by tokens only: their names are shown, and a plan is named for the
// first time, while the vault is unlocked in this tab.

import { Accordion, Autocomplete, Button, Group, Stack, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { NameToken } from "../../../core/ids.ts";
import type { Policy, RetentionSettings } from "../../../wire/v4/api/job-routes.ts";
import { planName } from "../../../wire/v4/plan-body.ts";
import { Card } from "../../parts/Card.tsx";
import { RETENTION } from "../../strings/vaults.ts";
import { UnlockNote } from "../../unlock/UnlockNote.tsx";
import { useOpenVault } from "../../unlock/vault-store.ts";
import { HOME_POLICY, PolicyFields, policyWords } from "./PolicyFields.tsx";

const WORDS = RETENTION.byPlan;
type ByPlan = RetentionSettings["byPlan"];

export function PlanRules(props: {
  readonly vault: string;
  readonly byPlan: ByPlan;
  readonly isOwner: boolean;
  /** By token. */
  readonly names: ReadonlyMap<string, string>;
  readonly onChange: (byPlan: ByPlan) => void;
  readonly onNamed: (token: string, name: string) => void;
}) {
  const { vault, byPlan, isOwner, names, onChange, onNamed } = props;
  const [shown, setShown] = useState<string | null>(null);
  const open = useOpenVault(vault);
  const tokens = Object.keys(byPlan) as NameToken[];
  if (tokens.length === 0 && !isOwner) return null;
  const change = (token: NameToken, policy: Policy | null): void => onChange({ ...byPlan, [token]: policy ?? {} });
  const remove = (token: NameToken): void =>
    onChange(Object.fromEntries(Object.entries(byPlan).filter(([each]) => each !== token)));
  const add = (token: string, name: string): void => {
    onNamed(token, name);
    if (!Object.hasOwn(byPlan, token)) change(token as NameToken, HOME_POLICY);
    setShown(token);
  };
  return (
    <Card title={WORDS.title} text={WORDS.text}>
      <UnlockNote vault={vault} text={tokens.length > 0 ? WORDS.locked : WORDS.lockedEmpty} />
      {tokens.length > 0 && (
        <Accordion variant="contained" radius="md" value={shown} onChange={setShown}>
          {tokens.map((token) => {
            const name = names.get(token) ?? WORDS.unnamed(token.slice(0, 8));
            const own = byPlan[token] ?? {};
            const policy = Object.keys(own).length > 0 ? own : null;
            return (
              <Accordion.Item key={token} value={token}>
                <Accordion.Control>
                  <Text fw={600} size="sm">
                    {name}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {policyWords(policy)}
                  </Text>
                </Accordion.Control>
                <Accordion.Panel>
                  <Stack role="group" aria-label={name}>
                    <PolicyFields
                      policy={policy}
                      isDisabled={!isOwner}
                      onChange={(changed) => change(token, changed)}
                    />
                    {isOwner && (
                      <Group>
                        <Button size="xs" variant="default" onClick={() => remove(token)}>
                          {WORDS.remove}
                        </Button>
                      </Group>
                    )}
                  </Stack>
                </Accordion.Panel>
              </Accordion.Item>
            );
          })}
        </Accordion>
      )}
      {isOwner && open && <AddPlan client={open.client} known={[...names.values()]} onAdd={add} />}
    </Card>
  );
}

function AddPlan({
  client,
  known,
  onAdd,
}: {
  readonly client: NonNullable<ReturnType<typeof useOpenVault>>["client"];
  readonly known: readonly string[];
  readonly onAdd: (token: string, name: string) => void;
}) {
  const [name, setName] = useState("");
  const wanted = name.trim();
  const adding = useMutation({
    mutationFn: async () => (await client.call("planTokens", { names: [wanted] }))[0]!,
    onSuccess(token) {
      onAdd(token, wanted);
      setName("");
    },
  });
  const isName = known.includes(wanted) || planName.safeParse(wanted).success;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    adding.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Group align="flex-end" gap="sm">
        <Autocomplete
          label={WORDS.name}
          data={[...new Set(known)].sort()}
          value={name}
          onChange={setName}
          error={wanted !== "" && !isName && WORDS.noName}
          flex="1 1 220px"
          maw={360}
        />
        <Button
          type="submit"
          variant="default"
          leftSection={<IconPlus size={18} aria-hidden />}
          disabled={!isName}
          loading={adding.isPending}
        >
          {WORDS.add}
        </Button>
      </Group>
    </form>
  );
}
