// The recovery kit, and the check that it was saved. Only then the vault is made on the server.

import { Button, Group, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { PAGE_ROUTES } from "../../../wire/v4/api/page-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { refresh, useApi } from "../../api/use-api.ts";
import type { PreparedVault } from "../../backup/make-vault.ts";
import { RecoveryKit, RecoveryKitCheck } from "../../backup/RecoveryKit.tsx";
import { kitOf, makePreparedVault } from "../../backup/vault-maker.ts";
import { Card } from "../../parts/Card.tsx";
import { deviceAddress } from "../../parts/device-address.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { WELCOME } from "../../strings/welcome.ts";

export function KitStep({
  prepared,
  onBack,
  onMade,
}: {
  readonly prepared: PreparedVault;
  readonly onBack: () => void;
  readonly onMade: () => void;
}) {
  const client = useQueryClient();
  const reach = useApi(PAGE_ROUTES.reach);
  const [isSaved, setSaved] = useState(false);
  const make = useMutation({
    meta: { isShown: true },
    mutationFn: () => makePreparedVault(prepared),
    async onSuccess() {
      await refresh(client, VAULT_ROUTES.vaults);
      onMade();
    },
  });
  return (
    <Card>
      <Stack gap="xl">
        <RecoveryKit kit={{ ...kitOf(prepared), address: deviceAddress(reach.data, prepared.name) }} />
        <RecoveryKitCheck identity={prepared.recoveryIdentity} onRight={() => setSaved(true)} />
        {make.isError && <ErrorNote error={make.error} />}
        <Group justify="space-between" className="cb-no-print">
          <Button variant="default" onClick={onBack}>
            {WELCOME.back}
          </Button>
          <Button
            onClick={() => make.mutate()}
            loading={make.isPending}
            disabled={!isSaved}
            {...(isSaved ? {} : { title: WELCOME.checkFirst })}
          >
            {WELCOME.create}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
