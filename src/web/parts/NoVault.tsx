// Stands wherever there is nothing because there is no vault yet: who may make the first one is led there, and who may not is told who does.

import { Button } from "@mantine/core";
import { IconDatabase, IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useRights } from "../api/session.ts";
import { SHELL } from "../strings/shell.ts";
import { EmptyNote } from "./QueryStates.tsx";

export function NoVault({ isInCard = false }: { readonly isInCard?: boolean }) {
  const mayMake = useRights().may("owner");
  return (
    <EmptyNote
      icon={IconDatabase}
      title={SHELL.noVault}
      text={mayMake ? SHELL.noVaultText : SHELL.noVaultViewer}
      action={mayMake && <NewVaultButton />}
      isInCard={isInCard}
    />
  );
}

export function NewVaultButton() {
  return (
    <Button component={Link} to="/welcome" leftSection={<IconPlus size={18} aria-hidden />}>
      {SHELL.newVault}
    </Button>
  );
}
