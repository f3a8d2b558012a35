// Open invitations of devices in all vaults where one may see them, and who used them.

import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconTicket } from "@tabler/icons-react";
import { INVITE_ROUTES } from "../../../wire/v4/api/invite-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { INVITES } from "../../strings/settings.ts";

export function Invitations() {
  const vaults = useApi(VAULT_ROUTES.vaults);
  const { may } = useRights();
  return (
    <QueryStates query={vaults}>
      {(found) =>
        found.vaults
          .filter(({ id }) => may("operator", id))
          .map(({ id, name }) => <OfVault key={id} vault={id} name={name} />)
      }
    </QueryStates>
  );
}

function OfVault({ vault, name }: { readonly vault: string; readonly name: string }) {
  const query = useApi(INVITE_ROUTES.invites, { params: { vault } });
  const drop = useAction(INVITE_ROUTES.dropInvite, {
    refreshes: [INVITE_ROUTES.invites],
    onDone: () => toastDone(INVITES.dropped),
  });
  return (
    <Card title={name} text={INVITES.text}>
      <QueryStates
        query={query}
        isEmpty={({ invites }) => invites.length === 0}
        empty={<EmptyNote isInCard icon={IconTicket} title={INVITES.none} text={INVITES.noneText} />}
      >
        {({ invites }) => (
          <Stack gap="sm">
            {invites.map(({ invite, name: proposed, by, endsAt, usedBy }) => (
              <Group key={invite} justify="space-between">
                <div>
                  <Group gap="xs">
                    <Text size="sm" fw={500}>
                      {proposed}
                    </Text>
                    <Badge size="sm" variant="light" tt="none" color={usedBy === null ? "" : "gray"}>
                      {usedBy === null ? INVITES.open : INVITES.used}
                    </Badge>
                  </Group>
                  <Text size="xs" c="dimmed">
                    {INVITES.by} {by}, {INVITES.ends} <Time at={endsAt} />
                  </Text>
                </div>
                {usedBy === null && (
                  <Button size="xs" variant="default" onClick={() => drop.mutate({ params: { vault, invite } })}>
                    {INVITES.drop}
                  </Button>
                )}
              </Group>
            ))}
          </Stack>
        )}
      </QueryStates>
    </Card>
  );
}
