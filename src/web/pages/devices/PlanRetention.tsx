// What the server keeps of a plan's snapshots, shown and set along with the plan. The server knows the plan by a token of its name, which the worker makes; an
// owner of the vault decides, and who is none is told so.

import { Anchor, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { NameToken } from "../../../core/ids.ts";
import { JOB_ROUTES, type RetentionSettings } from "../../../wire/v4/api/job-routes.ts";
import { planName } from "../../../wire/v4/plan-body.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { PLANS } from "../../strings/plans.ts";
import { useOpenVault } from "../../unlock/vault-store.ts";
import { HOME_POLICY, PolicyFields, policyWords } from "../vaults/PolicyFields.tsx";
import { WouldKeep } from "../vaults/WouldKeep.tsx";
import { type RetentionWish, standing, withWish } from "./plan-retention.ts";

const WORDS = PLANS.keep;

/** `wish`: undefined while nothing was changed. */
export function PlanRetention(props: {
  readonly vault: string;
  readonly name: string;
  readonly wish: RetentionWish | undefined;
  readonly onWish: (wish: RetentionWish) => void;
  /** What the plan carries with it. */
  readonly children: ReactNode;
}) {
  const { vault, name, wish, onWish, children } = props;
  const settings = useApi(JOB_ROUTES.vaultSettings, { params: { vault } });
  const token = usePlanToken(vault, name);
  return (
    <Card title={WORDS.title} text={WORDS.text}>
      <QueryStates query={settings}>
        {({ retention }) => (
          <Rules vault={vault} name={name} token={token} retention={retention} wish={wish} onWish={onWish} />
        )}
      </QueryStates>
      {children}
    </Card>
  );
}

function Rules(props: {
  readonly vault: string;
  readonly name: string;
  readonly token: NameToken | undefined;
  readonly retention: RetentionSettings;
  readonly wish: RetentionWish | undefined;
  readonly onWish: (wish: RetentionWish) => void;
}) {
  const { vault, name, token, retention, onWish } = props;
  const isOwner = useRights().may("owner", vault);
  const wish = props.wish ?? standing(retention, token);
  const vaultRules = policyWords(retention.byDefault);
  return (
    <Stack>
      {isOwner ? (
        <>
          <SegmentedControl
            aria-label={WORDS.title}
            value={wish === "vault" ? "vault" : "own"}
            onChange={(value) => onWish(value === "vault" ? "vault" : (retention.byDefault ?? HOME_POLICY))}
            data={[
              { value: "vault", label: WORDS.asVault },
              { value: "own", label: WORDS.ownRules },
            ]}
            maw={420}
          />
          {wish === "vault" ? (
            <Text size="sm">
              {WORDS.now(vaultRules)}{" "}
              <Anchor component={Link} to={`/vaults/${vault}/retention`} size="sm">
                {WORDS.link}
              </Anchor>
            </Text>
          ) : (
            <PolicyFields policy={wish} isDisabled={false} onChange={onWish} />
          )}
        </>
      ) : (
        <Text size="sm">
          {wish === "vault" ? WORDS.now(vaultRules) : WORDS.nowOwn(policyWords(wish))} {WORDS.ownerDecides}
        </Text>
      )}
      <Preview vault={vault} name={name} token={token} retention={withWish(retention, token, wish)} />
    </Stack>
  );
}

function Preview(props: {
  readonly vault: string;
  readonly name: string;
  readonly token: NameToken | undefined;
  readonly retention: RetentionSettings;
}) {
  const { vault, name, token, retention } = props;
  const preview = useAction(JOB_ROUTES.previewRetention, { showsError: true });
  // Of rules that have been changed since, nothing is said.
  const [shownOf, setShownOf] = useState<string>();
  const asked = JSON.stringify([token, retention]);
  const items = shownOf === asked ? preview.data?.items.filter(({ plan }) => plan === token) : undefined;
  return (
    <>
      <Group>
        <Button
          size="xs"
          variant="default"
          loading={preview.isPending}
          disabled={token === undefined}
          onClick={() => {
            setShownOf(asked);
            preview.mutate({ params: { vault }, body: { retention } });
          }}
        >
          {WORDS.preview}
        </Button>
        {items?.length === 0 && (
          <Text size="sm" c="dimmed" role="status">
            {WORDS.previewNone}
          </Text>
        )}
      </Group>
      {preview.isError && <ErrorNote error={preview.error} />}
      {items !== undefined && items.length > 0 && token !== undefined && (
        <WouldKeep vault={vault} items={items} names={new Map([[token, name]])} />
      )}
    </>
  );
}

/** Undefined until there is a name, and while the vault is locked. */
function usePlanToken(vault: string, name: string): NameToken | undefined {
  const client = useOpenVault(vault)?.client;
  const isName = planName.safeParse(name).success;
  const { data } = useQuery({
    queryKey: ["plan-token", vault, name],
    queryFn: async () => (await client!.call("planTokens", { names: [name] }))[0] as NameToken,
    enabled: client !== undefined && isName,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return isName ? data : undefined;
}
