// How a device is added: what to type where. The code carries keys that the server must never see, so a computer that has them makes it.

import { Anchor, Modal, NativeSelect, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { DEVICES } from "../../strings/devices.ts";
import { OVERVIEW } from "../../strings/overview.ts";

export function AddDevice({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const vaults = useApi(VAULT_ROUTES.vaults).data?.vaults ?? [];
  const [chosen, setChosen] = useState<string>();
  const vault = chosen ?? vaults[0]?.name ?? "NAME";
  return (
    <Modal opened={isOpen} onClose={onClose} title={DEVICES.addTitle} size="lg">
      <Stack>
        {vaults.length > 1 && (
          <NativeSelect
            label={DEVICES.vaultFor}
            value={vault}
            data={vaults.map(({ name }) => name)}
            onChange={({ currentTarget: { value } }) => setChosen(value)}
          />
        )}
        <Text size="sm">{DEVICES.addText}</Text>
        <CopyLine value={DEVICES.addCommand(`${location.origin}/${vault}`)} />
        <Text size="sm">{DEVICES.addThen}</Text>
        <CopyLine value={DEVICES.enrollCommand} />
        <Text size="sm">{DEVICES.addKeep}</Text>
        <CopyLine value={DEVICES.agentCommand} />
        <Text size="sm">
          {DEVICES.addBrowser}{" "}
          <Anchor component={Link} to="/backup" onClick={onClose}>
            {OVERVIEW.backUpHere}
          </Anchor>
        </Text>
      </Stack>
    </Modal>
  );
}
