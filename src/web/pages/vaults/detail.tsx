// One vault, in sections that have addresses of their own. Each is loaded when it is opened.

import { Button, Tabs } from "@mantine/core";
import { IconFolderOpen } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ComponentType, lazy, Suspense } from "react";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useApi } from "../../api/use-api.ts";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { Lines, QueryStates } from "../../parts/QueryStates.tsx";
import { VAULTS } from "../../strings/vaults.ts";
import { VaultLock } from "../../unlock/LockMenu.tsx";
import { PAGES } from "../registry.ts";
import { Overview } from "./Overview.tsx";
import { Health } from "./page.tsx";

export type SectionProps = { readonly vault: string };
type Section = { readonly id: keyof typeof VAULTS.tabs; readonly View: ComponentType<SectionProps> };

const SECTIONS: readonly Section[] = [
  { id: "overview", View: Overview },
  { id: "snapshots", View: lazy(async () => ({ default: (await import("./Snapshots.tsx")).Snapshots })) },
  { id: "retention", View: lazy(async () => ({ default: (await import("./Retention.tsx")).Retention })) },
  { id: "care", View: lazy(async () => ({ default: (await import("./Care.tsx")).Care })) },
  { id: "keys", View: lazy(async () => ({ default: (await import("./Keys.tsx")).Keys })) },
  { id: "log", View: lazy(async () => ({ default: (await import("./Log.tsx")).Log })) },
];

export function Page() {
  const { id, section } = useParams({ strict: false }) as { id: string; section?: string };
  const navigate = useNavigate();
  const { roleIn } = useRights();
  const query = useApi(VAULT_ROUTES.vault, { params: { vault: id } });
  const current = SECTIONS.find((each) => each.id === section) ?? SECTIONS[0]!;
  const hasFiles = PAGES.some(({ path }) => path === "/files");
  return (
    <PageFrame
      title={query.data?.name ?? (query.isError ? VAULTS.gone : VAULTS.title)}
      crumbs={[{ label: VAULTS.title, to: "/vaults" }]}
      lead={query.data && <Health damaged={query.data.stats.damagedBlocks} running={query.data.stats.openSessions} />}
      actions={
        <>
          {hasFiles && roleIn(id) !== undefined && !query.isError && (
            <Button
              component={Link}
              to={`/files/${id}`}
              variant="default"
              leftSection={<IconFolderOpen size={18} aria-hidden />}
            >
              {VAULTS.openFiles}
            </Button>
          )}
          <VaultLock vault={id} />
        </>
      }
    >
      <QueryStates query={query}>
        {() => (
          <Tabs
            value={current.id}
            onChange={(value) => void navigate({ to: `/vaults/${id}/${value ?? ""}` })}
            keepMounted={false}
            activateTabWithKeyboard={false}
          >
            <Tabs.List mb="lg" aria-label={VAULTS.sections}>
              {SECTIONS.map((each) => (
                <Tabs.Tab key={each.id} value={each.id}>
                  {VAULTS.tabs[each.id]}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {SECTIONS.map(({ id: section, View }) => (
              <Tabs.Panel key={section} value={section}>
                <Suspense fallback={<Lines />}>
                  <View vault={id} />
                </Suspense>
              </Tabs.Panel>
            ))}
          </Tabs>
        )}
      </QueryStates>
    </PageFrame>
  );
}
