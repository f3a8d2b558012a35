// Where one is signed in, and the way to end that.

import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconDeviceLaptop } from "@tabler/icons-react";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { programName } from "../../parts/program-name.ts";
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
          <Stack gap="sm" component="ul" p={0} m={0} style={{ listStyle: "none" }}>
            {signIns.map(({ id, program, address, createdAt, isThis }) => (
              <Group key={id} component="li" justify="space-between" wrap="nowrap">
                <Group gap="sm" wrap="nowrap" miw={0}>
                  <IconDeviceLaptop size={24} stroke={1.5} aria-hidden />
                  <div>
                    <Group gap="xs">
                      <Text size="sm" fw={500}>
                        {programName(program)}
                      </Text>
                      {isThis && (
                        <Badge variant="light" size="sm" tt="none">
                          {SECURITY.thisOne}
                        </Badge>
                      )}
                    </Group>
                    <Text size="xs" c="dimmed">
                      {address}, <Time at={createdAt} />
                    </Text>
                  </div>
                </Group>
                {!isThis && (
                  <Button size="xs" variant="default" onClick={() => drop.mutate({ params: { id } })}>
                    {SECURITY.signOut}
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
