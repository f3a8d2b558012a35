// One plan of a device, to be read and changed by whoever has the vault unlocked in this tab. Nothing of it leaves the tab unsealed.

import { IconClockOff } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { type DeviceState, OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { type Crumb, PageFrame } from "../../parts/PageFrame.tsx";
import { EmptyNote, Lines, QueryStates } from "../../parts/QueryStates.tsx";
import { DEVICES } from "../../strings/devices.ts";
import { PLANS } from "../../strings/plans.ts";
import { VaultLock } from "../../unlock/LockMenu.tsx";
import { Unlock } from "../../unlock/Unlock.tsx";
import { useNames } from "../runs/names.ts";
import { newPlanId, usePlans } from "./use-plans.ts";

/** With the calendar and the schema: loaded while somebody unlocks. */
const PlanEditor = lazy(async () => ({ default: (await import("./PlanEditor.tsx")).PlanEditor }));
const NEW = "new";

type Params = { readonly vault: string; readonly device: string; readonly plan: string };

export function Page() {
  const { vault = "", device = "", plan = NEW } = useParams({ strict: false }) as Partial<Params>;
  const query = useApi(OVERVIEW_ROUTES.deviceStates, { query: {} });
  return (
    <QueryStates query={query}>
      {({ items }) => {
        const item = items.find((each) => each.vault === vault && each.device === device);
        if (item !== undefined) return <OnePlan key={plan} item={item} id={plan} />;
        return (
          <PageFrame title={DEVICES.gone} crumbs={[{ label: DEVICES.title, to: "/devices" }]}>
            <EmptyNote icon={IconClockOff} title={DEVICES.gone} text={DEVICES.goneText} />
          </PageFrame>
        );
      }}
    </QueryStates>
  );
}

function OnePlan({ item, id }: { readonly item: DeviceState; readonly id: string }) {
  const { vault, device } = item;
  const { query, client, plans, areBodiesKnown } = usePlans(vault, device);
  const names = useNames();
  const [ownId] = useState(() => (id === NEW ? newPlanId() : id));
  // Whoever edits keeps the page, whatever happens to the plan meanwhile.
  const [wasFound, setFound] = useState(id === NEW);
  const known = plans.find(({ stored }) => stored.plan === ownId);
  const there = query.data?.plans.find(({ plan }) => plan === ownId);
  const isReady = query.isSuccess && areBodiesKnown;
  useEffect(() => {
    if (known?.body) setFound(true);
  }, [known?.body]);
  // Without its name: browsers keep titles in their history, locked or not.
  const title = id === NEW ? PLANS.newTitle : PLANS.editTitle;
  const crumbs: readonly Crumb[] = [
    { label: DEVICES.title, to: "/devices" },
    { label: item.name, to: `/devices/${vault}/${device}` },
  ];
  return (
    <PageFrame title={title} crumbs={crumbs} lead={PLANS.lead(item.name)} actions={<VaultLock vault={vault} />}>
      {client === undefined ? (
        <Unlock key={vault} vault={vault} name={names.vault(vault)} />
      ) : query.isError ? (
        <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      ) : wasFound ? (
        <Suspense fallback={<Lines count={5} />}>
          <PlanEditor item={item} id={ownId} known={known} there={there} plans={plans} />
        </Suspense>
      ) : isReady ? (
        <EmptyNote icon={IconClockOff} title={PLANS.gone} text={known ? PLANS.unreadable : PLANS.goneText} />
      ) : (
        <Lines count={5} />
      )}
    </PageFrame>
  );
}
