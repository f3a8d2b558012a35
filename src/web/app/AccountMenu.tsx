// Who is signed in, and the way out.

import { Avatar, Menu, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconKeyboard, IconLogout, IconPalette, IconShieldLock, IconWorldOff } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { AUTH_ROUTES } from "../../wire/v4/api/auth-routes.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { forgetEverything, type Me } from "../api/session.ts";
import { useAction } from "../api/use-api.ts";
import { SHELL } from "../strings/shell.ts";

export function AccountMenu({ me, onShortcuts }: { readonly me: Me; readonly onShortcuts: () => void }) {
  const client = useQueryClient();
  const onDone = (): void => forgetEverything(client);
  const out = useAction(AUTH_ROUTES.signOut, { onDone });
  const everywhere = useAction(PEOPLE_ROUTES.dropSignIns, { onDone });
  return (
    <Menu width={250} position="bottom-end" withinPortal withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <UnstyledButton>
          <VisuallyHidden>{SHELL.account}</VisuallyHidden>
          <Avatar radius="xl" size={34} color="initials" name={me.name} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)">
            {me.name}
          </Text>
          <Text size="xs">{me.email}</Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item component={Link} to="/settings/security" leftSection={<IconShieldLock size={18} aria-hidden />}>
          {SHELL.security}
        </Menu.Item>
        <Menu.Item component={Link} to="/settings/appearance" leftSection={<IconPalette size={18} aria-hidden />}>
          {SHELL.appearance}
        </Menu.Item>
        <Menu.Item leftSection={<IconKeyboard size={18} aria-hidden />} onClick={onShortcuts}>
          {SHELL.shortcuts}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={18} aria-hidden />} onClick={() => out.mutate({})}>
          {SHELL.signOut}
        </Menu.Item>
        <Menu.Item leftSection={<IconWorldOff size={18} aria-hidden />} onClick={() => everywhere.mutate({})}>
          {SHELL.signOutEverywhere}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
