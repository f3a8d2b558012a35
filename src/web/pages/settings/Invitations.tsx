// Open invitations of devices in all vaults where one may see them, and who used them.

import { Anchor, Badge, Button } from "@mantine/core";
import { IconTicket } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { INVITE_ROUTES } from "../../../wire/v4/api/invite-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { NoVault } from "../../parts/NoVault.tsx";
import { PlainList, PlainRow } from "../../parts/PlainList.tsx";
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
        found.vaults.length === 0 ? (
          <NoVault />
        ) : (
          found.vaults
            .filter(({ id }) => may("operator", id))
            .map(({ id, name }) => <OfVault key={id} vault={id} name={name} />)
        )
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
  const devices = useApi(VAULT_ROUTES.deviceList, { params: { vault } });
  const nameOf = (id: string): string =>
    devices.data?.devices.find(({ device }) => device === id)?.name ?? id.slice(0, 8);
  return (
    <Card title={INVITES.title(name)} text={INVITES.text}>
      <QueryStates
        query={query}
        isEmpty={({ invites }) => invites.length === 0}
        empty={<EmptyNote isInCard icon={IconTicket} title={INVITES.none} text={INVITES.noneText} />}
      >
        {({ invites }) => (
          <PlainList>
            {invites.map(({ invite, name: proposed, by, endsAt, usedBy }) => (
              <PlainRow
                key={invite}
                icon={IconTicket}
                title={proposed}
                badges={
                  <Badge size="sm" variant="light" color={usedBy === null ? "" : "gray"}>
                    {usedBy === null ? INVITES.open : INVITES.used}
                  </Badge>
                }
                detail={
                  <>
                    {INVITES.by} {by} ·{" "}
                    {usedBy === null ? (
                      <>
                        {INVITES.ends} <Time at={endsAt} />
                      </>
                    ) : (
                      <Anchor component={Link} to={`/devices/${vault}/${usedBy}`} size="xs">
                        {INVITES.usedBy(nameOf(usedBy))}
                      </Anchor>
                    )}
                  </>
                }
                actions={
                  usedBy === null && (
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={`${INVITES.drop}: ${proposed}`}
                      onClick={() => drop.mutate({ params: { vault, invite } })}
                    >
                      {INVITES.drop}
                    </Button>
                  )
                }
              />
            ))}
          </PlainList>
        )}
      </QueryStates>
    </Card>
  );
}
