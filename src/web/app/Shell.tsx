// What surrounds every page of somebody who is signed in: navigation, header, search, shortcuts.

import { AppShell, Box, Burger, Group, ScrollArea, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useLocation } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import type { Me } from "../api/session.ts";
import { SHELL } from "../strings/shell.ts";
import { AccountMenu } from "./AccountMenu.tsx";
import { AwayBar } from "./AwayBar.tsx";
import { Brand } from "./Brand.tsx";
import { LineBadge } from "./LineBadge.tsx";
import { Navigation } from "./Navigation.tsx";
import { Search, SearchButton } from "./Search.tsx";
import classes from "./Shell.module.css";
import { ShortcutHelp, useShortcuts } from "./Shortcuts.tsx";
import { ThemeToggle } from "./ThemeToggle.tsx";

const HEADER_PX = 60;
const NAV_PX = 248;

export function Shell({ me, children }: { readonly me: Me; readonly children: ReactNode }) {
  const [isOpen, nav] = useDisclosure(false);
  const [isHelp, help] = useDisclosure(false);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever has chosen a page wants to see it
  useEffect(() => nav.close(), [pathname]);
  useShortcuts({ onHelp: help.open, onNavigation: nav.toggle });
  return (
    <AppShell
      header={{ height: HEADER_PX }}
      navbar={{ width: NAV_PX, breakpoint: "md", collapsed: { mobile: !isOpen } }}
      padding={{ base: "md", sm: "lg", lg: "xl" }}
      layout="alt"
    >
      <UnstyledButton className={classes.skip} onClick={() => document.getElementById("main")?.focus()}>
        {SHELL.skip}
      </UnstyledButton>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="sm">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger
              opened={isOpen}
              onClick={nav.toggle}
              hiddenFrom="md"
              size="sm"
              aria-label={isOpen ? SHELL.closeMenu : SHELL.openMenu}
              aria-expanded={isOpen}
            />
            <Box hiddenFrom="md">
              <Brand isShort />
            </Box>
            <SearchButton />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <LineBadge />
            <ThemeToggle />
            <AccountMenu me={me} onShortcuts={help.open} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar}>
        <AppShell.Section className={classes.brand}>
          <Brand />
          <Burger opened onClick={nav.close} hiddenFrom="md" size="sm" aria-label={SHELL.closeMenu} />
        </AppShell.Section>
        <AppShell.Section grow component={ScrollArea} px="sm" type="auto">
          <Navigation />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <AwayBar />
        {children}
      </AppShell.Main>
      <Search onShortcuts={help.open} />
      <ShortcutHelp isOpen={isHelp} onClose={help.close} />
    </AppShell>
  );
}
