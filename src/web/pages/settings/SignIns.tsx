// Where one is signed in, and the way to end that.

import { Badge, Button } from "@mantine/core";
import { IconDeviceLaptop } from "@tabler/icons-react";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { programName } from "../../backup/browser-name.ts";
import { Card } from "../../parts/Card.tsx";
import { PlainList, PlainRow } from "../../parts/PlainList.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { SECURITY } from "../../strings/settings.ts";

export function SignIns() {
  const query = useApi(PEOPLE_ROUTES.signIns);
  const onDone = (): void => toastDone(SECURITY.signedOut);
  const drop = useAction(PEOPLE_ROUTES.dropSignIn, { refreshes: [PEOPLE_ROUTES.signIns], onDone });
  const others = useAction(PEOPLE_ROUTES.dropSignIns, { refreshes: [PEOPLE_ROUTES.signIns], onDone });
  return (
    <Card
      title={SECURITY.signIns}
      text={SECURITY.signInsText}
      actions={
        <Button
          variant="default"
          size="xs"
          disabled={(query.data?.signIns.length ?? 0) < 2}
          loading={others.isPending}
          onClick={() => others.mutate({ query: { others: "true" } })}
        >
          {SECURITY.signOutOthers}
        </Button>
      }
    >
      <QueryStates query={query}>
        {({ signIns }) => (
          <PlainList>
            {signIns.map(({ id, program, address, createdAt, isThis }) => (
              <PlainRow
                key={id}
                icon={IconDeviceLaptop}
                title={programName(program)}
                badges={
                  isThis && (
                    <Badge variant="light" size="sm" tt="none">
                      {SECURITY.thisOne}
                    </Badge>
                  )
                }
                detail={
                  <>
                    {address}, <Time at={createdAt} />
                  </>
                }
                actions={
                  !isThis && (
                    <Button size="xs" variant="default" onClick={() => drop.mutate({ params: { id } })}>
                      {SECURITY.signOut}
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
