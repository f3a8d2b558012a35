// Makes a vault, step by step: name and passphrase, the recovery kit with a check that it was saved, the first device. All keys are made
// in this browser; before the kit has been checked nothing is sent anywhere.

import { Stack, Stepper } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconDatabase } from "@tabler/icons-react";
import { useState } from "react";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useApi } from "../../api/use-api.ts";
import type { PreparedVault } from "../../backup/make-vault.ts";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { EmptyNote } from "../../parts/QueryStates.tsx";
import { useUnsaved } from "../../parts/use-unsaved.ts";
import { WELCOME } from "../../strings/welcome.ts";
import { DeviceStep } from "./DeviceStep.tsx";
import { KitStep } from "./KitStep.tsx";
import { VaultStep } from "./VaultStep.tsx";

export function Page() {
  const vaults = useApi(VAULT_ROUTES.vaults, {}, { staleTime: Number.POSITIVE_INFINITY });
  const [prepared, setPrepared] = useState<PreparedVault | undefined>();
  const [isMade, setMade] = useState(false);
  // Keys that exist nowhere else yet.
  useUnsaved(prepared !== undefined && !isMade);
  const mayMake = useRights().may("owner");
  const isFirst = vaults.data?.vaults.length === 0;
  const step = prepared === undefined ? 0 : isMade ? 2 : 1;
  const isNarrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  if (!mayMake) {
    return (
      <PageFrame title={WELCOME.title}>
        <EmptyNote icon={IconDatabase} title={WELCOME.onlyOwner} text={WELCOME.onlyOwnerText} />
      </PageFrame>
    );
  }
  return (
    <PageFrame title={isFirst ? WELCOME.firstTitle : WELCOME.title} lead={WELCOME.lead}>
      <Stack gap="xl" maw={820}>
        <Stepper
          active={step}
          size="sm"
          orientation={isNarrow ? "vertical" : "horizontal"}
          allowNextStepsSelect={false}
        >
          <Stepper.Step label={WELCOME.steps.vault} description={WELCOME.stepHelp.vault} />
          <Stepper.Step label={WELCOME.steps.kit} description={WELCOME.stepHelp.kit} />
          <Stepper.Step label={WELCOME.steps.device} description={WELCOME.stepHelp.device} />
        </Stepper>
        {prepared === undefined && <VaultStep onPrepared={setPrepared} />}
        {prepared !== undefined && !isMade && (
          <KitStep prepared={prepared} onBack={() => setPrepared(undefined)} onMade={() => setMade(true)} />
        )}
        {prepared !== undefined && isMade && <DeviceStep prepared={prepared} />}
      </Stack>
    </PageFrame>
  );
}
