// The first device: this browser, at once, or a machine by one line to paste. It says when that machine has come.

import { Alert, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconCheck, IconDeviceDesktop, IconWorldUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { fromHex } from "../../../core/bytes.ts";
import { systemRandom } from "../../../core/clock.ts";
import { invite } from "../../../engine/enrol/invite.ts";
import { PAGE_ROUTES } from "../../../wire/v4/api/page-routes.ts";
import { call } from "../../api/call.ts";
import { hearEvent } from "../../api/live.ts";
import type { PreparedVault } from "../../backup/make-vault.ts";
import { Card } from "../../parts/Card.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { deviceAddress } from "../../parts/device-address.ts";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { WELCOME } from "../../strings/welcome.ts";

const HOURS = 24;

export function DeviceStep({ prepared }: { readonly prepared: PreparedVault }) {
  const { vaultId, name } = prepared;
  const [came, setCame] = useState<string | undefined>();
  useEffect(
    () =>
      hearEvent("enrolled", ({ data }) => {
        if (data.vault === vaultId && typeof data.name === "string") setCame(data.name);
      }),
    [vaultId],
  );
  const code = useQuery({
    queryKey: ["first invitation", vaultId],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => firstInvitation(prepared),
  });
  return (
    <Stack gap="lg">
      <Alert variant="light" color="green" icon={<IconCheck aria-hidden />} title={WELCOME.made(name)}>
        {WELCOME.madeText}
      </Alert>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title={WELCOME.here} text={WELCOME.hereText}>
          <Group>
            <Button component={Link} to="/backup" leftSection={<IconWorldUpload size={18} aria-hidden />}>
              {WELCOME.hereGo}
            </Button>
          </Group>
        </Card>
        <Card title={WELCOME.machine} text={WELCOME.machineText}>
          <Stack gap="sm">
            <Text size="sm" fw={500}>
              {WELCOME.installLabel}
            </Text>
            <CopyLine value={WELCOME.install} label={WELCOME.installLabel} />
            <Text size="sm" fw={500}>
              {WELCOME.enrollLabel}
            </Text>
            <QueryStates query={code as never}>
              {(line: string) => <CopyLine value={`cyberbackup enroll ${line}`} label={WELCOME.enrollLabel} />}
            </QueryStates>
            {came === undefined ? (
              <Text size="sm" c="dimmed" role="status">
                {WELCOME.waiting}
              </Text>
            ) : (
              <Alert color="green" variant="light" icon={<IconDeviceDesktop aria-hidden />} role="status">
                {WELCOME.enrolled(came)}
              </Alert>
            )}
          </Stack>
        </Card>
      </SimpleGrid>
      <Group>
        <Button component={Link} to="/" variant="subtle">
          {WELCOME.later}
        </Button>
      </Group>
    </Stack>
  );
}

/** Made of the keys that are still in this tab's memory; the server learns nothing that opens it. */
async function firstInvitation({ vaultId, name, device }: PreparedVault): Promise<string> {
  const reach = await call(PAGE_ROUTES.reach, {});
  const { code } = await invite({
    api: { call },
    vault: vaultId,
    writer: device.writer,
    address: deviceAddress(reach, name),
    pin: reach.fingerprint === null ? undefined : fromHex(reach.fingerprint),
    name: "first device",
    hours: HOURS,
    random: systemRandom,
  });
  return code;
}
