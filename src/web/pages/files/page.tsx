// Files: which vault, unlocking it, and looking around in it.

import { Group, NativeSelect } from "@mantine/core";
import { IconHistoryOff } from "@tabler/icons-react";
import { useNavigate, useParams } from "@tanstack/react-router";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { NoVault } from "../../parts/NoVault.tsx";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { EmptyNote, Lines, QueryStates } from "../../parts/QueryStates.tsx";
import { FILES } from "../../strings/files.ts";
import { LogBadge, VaultLock } from "../../unlock/LockMenu.tsx";
import { Unlock } from "../../unlock/Unlock.tsx";
import { lockVault, type OpenVault, useVault } from "../../unlock/vault-store.ts";
import { Browser } from "./Browser.tsx";
import { Transfers } from "./Transfers.tsx";

export function Page() {
  const vaults = useApi(VAULT_ROUTES.vaults);
  const { vault: asked } = useParams({ strict: false }) as { readonly vault?: string };
  const { open } = useVault();
  const navigate = useNavigate();
  const all = vaults.data?.vaults ?? [];
  const chosen =
    all.find(({ id, name }) => id === asked || name === asked) ??
    all.find(({ id }) => id === open?.id) ??
    all.find(({ problem }) => problem === null) ??
    all[0];
  const isOpen = open !== undefined && open.id === chosen?.id;
  return (
    <PageFrame
      title={FILES.title}
      {...(!isOpen && { lead: FILES.lead })}
      isWide
      actions={
        <Group gap="sm">
          {isOpen && <LogBadge log={open.log} />}
          {all.length > 1 && chosen && (
            <NativeSelect
              aria-label={FILES.vault}
              value={chosen.id}
              onChange={(event) => {
                lockVault();
                void navigate({ to: `/files/${event.currentTarget.value}` });
              }}
              data={all.map(({ id, name, problem }) => ({
                value: id,
                label: problem === null ? name : `${name}: ${FILES.vaultBroken(problem)}`,
              }))}
            />
          )}
          {isOpen && <VaultLock vault={open.id} />}
        </Group>
      }
    >
      <QueryStates query={vaults} isEmpty={() => all.length === 0} empty={<NoVault />}>
        {() => (isOpen ? <Inside vault={open} /> : <Unlock key={chosen!.id} vault={chosen!.id} name={chosen!.name} />)}
      </QueryStates>
      <Transfers />
    </PageFrame>
  );
}

function Inside({ vault }: { readonly vault: OpenVault }) {
  if (vault.snapshots.length > 0) return <Browser vault={vault} />;
  if (!vault.areSnapshotsKnown) return <Lines count={6} />;
  return <EmptyNote icon={IconHistoryOff} title={FILES.noSnapshots} text={FILES.noSnapshotsText} />;
}
