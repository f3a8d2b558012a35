// Search over the whole page: pages, vaults, what can be done. Opens by Ctrl or Cmd with K, and by /.

import { Group, Kbd, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { Spotlight, type SpotlightActionGroupData, spotlight } from "@mantine/spotlight";
import { IconDatabase, IconKeyboard, IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import { useRights } from "../api/session.ts";
import { useApi } from "../api/use-api.ts";
import { PAGES } from "../pages/registry.ts";
import { NAV, SHELL } from "../strings/shell.ts";
import classes from "./Search.module.css";

const LIMIT = 12;

export function SearchButton() {
  return (
    <UnstyledButton className={classes.button} onClick={spotlight.open}>
      <VisuallyHidden>{SHELL.search}</VisuallyHidden>
      <Group gap="xs" wrap="nowrap" aria-hidden>
        <IconSearch size={17} aria-hidden />
        <Text size="sm" c="dimmed" visibleFrom="sm">
          {SHELL.search}
        </Text>
        <Kbd size="xs" visibleFrom="sm">
          {isMac() ? "⌘ K" : "Ctrl K"}
        </Kbd>
      </Group>
    </UnstyledButton>
  );
}

export function Search({ onShortcuts }: { readonly onShortcuts: () => void }) {
  const navigate = useNavigate();
  const rights = useRights();
  const vaults = useApi(VAULT_ROUTES.vaults);
  const actions: SpotlightActionGroupData[] = [
    {
      group: SHELL.searchPages,
      actions: PAGES.flatMap(({ path, nav, isFor }) => {
        if (nav === undefined || (isFor !== undefined && !isFor(rights))) return [];
        const Icon = nav.icon;
        return [
          {
            id: path,
            label: NAV[nav.label],
            leftSection: <Icon size={20} aria-hidden />,
            onClick: () => void navigate({ to: path }),
          },
        ];
      }),
    },
    {
      group: SHELL.searchVaults,
      actions: PAGES.some(({ path }) => path === "/vaults/$id")
        ? (vaults.data?.vaults ?? []).map(({ id, name }) => ({
            id,
            label: name,
            keywords: [id],
            leftSection: <IconDatabase size={20} aria-hidden />,
            onClick: () => void navigate({ to: "/vaults/$id", params: { id } }),
          }))
        : [],
    },
    {
      group: SHELL.searchActions,
      actions: [
        {
          id: "shortcuts",
          label: SHELL.shortcuts,
          leftSection: <IconKeyboard size={20} aria-hidden />,
          onClick: onShortcuts,
        },
      ],
    },
  ];
  return (
    <Spotlight
      actions={actions}
      shortcut={["mod + K", "/"]}
      limit={LIMIT}
      highlightQuery
      nothingFound={SHELL.searchNothing}
      searchProps={{
        placeholder: SHELL.searchPlaceholder,
        "aria-label": SHELL.search,
        leftSection: <IconSearch size={18} aria-hidden />,
      }}
    />
  );
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
