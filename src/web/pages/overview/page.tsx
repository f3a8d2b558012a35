// The overview: one sentence of truth, what is wrong and the button that mends it, what runs, how the days went, how it grows.

import { Box, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconDeviceLaptop, IconShieldCheck, IconShieldExclamation } from "@tabler/icons-react";
import type { QueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { OVERVIEW_ROUTES, type Overview } from "../../../wire/v4/api/overview-routes.ts";
import { call } from "../../api/call.ts";
import { useRights } from "../../api/session.ts";
import { keyOf, useApi } from "../../api/use-api.ts";
import { formatBytes, formatCount, formatShare, plural } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { NewVaultButton } from "../../parts/NoVault.tsx";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { OVERVIEW } from "../../strings/overview.ts";
import { SHELL } from "../../strings/shell.ts";
import { useRunning, useRunTurns } from "../runs/live-runs.ts";
import { type Names, useNames } from "../runs/names.ts";
import { RunProgress } from "../runs/RunProgress.tsx";
import { AlertList } from "./AlertList.tsx";
import { HeatMap } from "./HeatMap.tsx";
import classes from "./overview.module.css";
import { factor } from "./ratios.ts";
import { SizeChart } from "./SizeChart.tsx";
import { VaultProof } from "./VaultProof.tsx";

/** What no event tells of, such as a disk that fills up. */
const LOOK_AGAIN_MS = 60_000;

/** Before the page is drawn (app/ahead.ts). */
export function ask(client: QueryClient): void {
  for (const [route, params] of [
    [OVERVIEW_ROUTES.overview, {}],
    [OVERVIEW_ROUTES.deviceStates, { query: {} }],
  ] as const) {
    void client.prefetchQuery({
      queryKey: keyOf(route, params),
      queryFn: ({ signal }) => call(route, { ...params, signal }),
    });
  }
}

export function Page() {
  useRunTurns();
  const query = useApi(OVERVIEW_ROUTES.overview, {}, { refetchInterval: LOOK_AGAIN_MS });
  const names = useNames();
  return (
    <PageFrame title={OVERVIEW.title} isWide>
      <QueryStates query={query}>{(overview) => <Whole overview={overview} names={names} />}</QueryStates>
    </PageFrame>
  );
}

function Whole({ overview, names }: { readonly overview: Overview; readonly names: Names }) {
  const devices = useApi(OVERVIEW_ROUTES.deviceStates, { query: {} });
  const active = (devices.data?.items ?? []).filter(({ state }) => state !== "revoked");
  const running = useRunning(overview.running, overview.at);
  return (
    <Stack gap="lg">
      <Truth overview={overview} names={names} />
      {running.length > 0 && (
        <Card title={OVERVIEW.running}>
          <div>
            {running.map((run) => (
              <div key={run.vault + run.run} className={classes.running}>
                <RunProgress run={run} names={names} />
              </div>
            ))}
          </div>
        </Card>
      )}
      <Tiles overview={overview} />
      <HeatMap devices={active} />
      {overview.vaults.length > 0 && <SizeChart vaults={overview.vaults} />}
      {overview.vaults.length > 0 && <VaultProof vaults={overview.vaults} />}
    </Stack>
  );
}

const ICONS = {
  empty: IconDeviceLaptop,
  protected: IconShieldCheck,
  attention: IconShieldExclamation,
  danger: IconAlertTriangle,
} as const;

function Truth({ overview, names }: { readonly overview: Overview; readonly names: Names }) {
  const { state, devices, protectedDevices, alerts, vaults } = overview;
  const rights = useRights();
  const isWithoutVault = state === "empty" && vaults.length === 0;
  const words = OVERVIEW.truth;
  const Icon = ICONS[state];
  const unprotected = devices - protectedDevices;
  const grave = alerts.filter(({ severity }) => severity === "danger").length;
  const warnings = alerts.length - grave;
  const alsoWarns =
    state === "danger" && warnings > 0 ? plural(warnings, words.alsoWarns.one, words.alsoWarns.many) : "";
  const sentence =
    state === "empty"
      ? isWithoutVault
        ? words.noVault
        : words.empty
      : state === "protected"
        ? plural(devices, words.protected.one, words.protected.many)
        : state === "danger"
          ? plural(grave, words.danger.one, words.danger.many)
          : plural(Math.max(alerts.length, unprotected), words.attention.one, words.attention.many);
  const more =
    state === "empty"
      ? emptyWords(isWithoutVault, rights)
      : state === "protected"
        ? words.protectedText
        : [words.partly(formatCount(protectedDevices), formatCount(devices)), alsoWarns].join(" ").trim();
  return (
    <section className={classes.truth} data-state={state} aria-label={sentence}>
      <Group className={classes.truthHead!} gap="lg" wrap="nowrap">
        <span className={classes.truthIcon}>
          <Icon size={32} stroke={1.7} aria-hidden />
        </span>
        <Box miw={0} flex={1}>
          <Text component="p" m={0} fz={{ base: 22, sm: 28 }} fw={700} lh={1.2} role="status">
            {sentence}
          </Text>
          <Text c="dimmed" mt={4}>
            {more}
          </Text>
          {isWithoutVault && rights.may("owner") && (
            <Group mt="md">
              <NewVaultButton />
            </Group>
          )}
          {state === "empty" && !isWithoutVault && rights.maySomewhere("operator") && (
            <Group mt="md" gap="sm">
              <Button component={Link} to="/devices">
                {OVERVIEW.addDevice}
              </Button>
              <Button component={Link} to="/backup" variant="default">
                {OVERVIEW.backUpHere}
              </Button>
            </Group>
          )}
        </Box>
      </Group>
      {alerts.length > 0 && <AlertList alerts={alerts} names={names} />}
    </section>
  );
}

function emptyWords(isWithoutVault: boolean, rights: ReturnType<typeof useRights>): string {
  if (isWithoutVault) return rights.may("owner") ? SHELL.noVaultText : SHELL.noVaultViewer;
  return rights.maySomewhere("operator") ? OVERVIEW.truth.emptyText : OVERVIEW.truth.emptyViewer;
}

function Tiles({ overview: { vaults, disk } }: { readonly overview: Overview }) {
  const words = OVERVIEW.tiles;
  const sum = (of: (vault: Overview["vaults"][number]) => number) =>
    vaults.reduce((total, vault) => total + of(vault), 0);
  const [all, fresh, added] = [sum((v) => v.allBytes), sum((v) => v.newBytes), sum((v) => v.addedBytes)];
  const saved = all > 0 ? 1 - added / all : undefined;
  const used = disk.totalBytes > 0 ? 1 - disk.freeBytes / disk.totalBytes : 0;
  const until =
    disk.daysUntilFull !== null
      ? plural(disk.daysUntilFull, words.fullIn.one, words.fullIn.many)
      : disk.bytesPerDay === null
        ? words.trendUnknown
        : words.notFilling;
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }} spacing={{ base: "sm", sm: "lg" }}>
      <Tile label={words.protected} value={formatBytes(sum((v) => v.protectedBytes))} text={words.protectedText} />
      <Tile label={words.stored} value={formatBytes(sum((v) => v.storedBytes))} text={words.storedText} />
      <Tile
        label={words.saved}
        value={saved === undefined || saved < 0 ? "–" : formatShare(saved)}
        text={saved === undefined ? words.savedNothing : words.savedText(factor(all, fresh), factor(fresh, added))}
      />
      <Tile
        label={words.full}
        value={formatShare(used)}
        text={`${words.free(formatBytes(disk.freeBytes))}, ${until}`}
      />
    </SimpleGrid>
  );
}

function Tile({ label, value, text }: { readonly label: string; readonly value: string; readonly text: string }) {
  return (
    <div className={classes.tile}>
      <Text size="sm" c="dimmed" fw={500}>
        {label}
      </Text>
      <div className={classes.value}>{value}</div>
      <Text size="sm" c="dimmed" mt={2}>
        {text}
      </Text>
    </div>
  );
}
