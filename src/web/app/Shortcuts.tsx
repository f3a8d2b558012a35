// The keyboard's short ways: `?` for help, `g` and a letter for a page, as in mail programs. Nothing happens while somebody types.

import { Group, Kbd, Stack, Table, Text, Title, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useRights } from "../api/session.ts";
import { PAGES } from "../pages/registry.ts";
import { Dialogue } from "../parts/Dialogue.tsx";
import { NAV, SHORTCUTS } from "../strings/shell.ts";

const SEQUENCE_MS = 1500;
const TYPED_IN = "input, textarea, select, [contenteditable=true], [role=dialog]";

export function useShortcuts({ onHelp, onNavigation }: { onHelp: () => void; onNavigation: () => void }): void {
  const navigate = useNavigate();
  const rights = useRights();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const before = useRef({ key: "", at: 0 });
  useEffect(() => {
    const actions: Readonly<Record<string, () => void>> = {
      "?": onHelp,
      m: onNavigation,
      t: () => setColorScheme(scheme === "dark" ? "light" : "dark"),
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest(TYPED_IN)) return;
      const { key, at } = before.current;
      before.current = { key: event.key, at: event.timeStamp };
      const action = actions[event.key];
      if (action !== undefined) {
        action();
        return;
      }
      if (event.timeStamp - at > SEQUENCE_MS) return;
      const page = PAGES.find(({ nav }) => nav?.keys === `${key} ${event.key}`);
      if (page === undefined || (page.isFor !== undefined && !page.isFor(rights))) return;
      before.current = { key: "", at: 0 };
      void navigate({ to: page.path });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [onHelp, onNavigation, setColorScheme, scheme, navigate, rights]);
}

export function ShortcutHelp({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const everywhere: [string[], string][] = [
    [["Ctrl", "K"], SHORTCUTS.search],
    [["/"], SHORTCUTS.search],
    [["?"], SHORTCUTS.help],
    [["t"], SHORTCUTS.theme],
    [["m"], SHORTCUTS.navigation],
  ];
  const pages = PAGES.flatMap(({ nav }) =>
    nav === undefined ? [] : [[nav.keys.split(" "), NAV[nav.label]] as [string[], string]],
  );
  return (
    <Dialogue opened={isOpen} onClose={onClose} title={SHORTCUTS.title} size="md">
      <Stack gap="lg">
        <Keys title={SHORTCUTS.groups.everywhere} rows={everywhere} />
        <Keys title={SHORTCUTS.groups.go} rows={pages} between={SHORTCUTS.between} />
      </Stack>
    </Dialogue>
  );
}

function Keys({
  title,
  rows,
  between = "+",
}: {
  readonly title: string;
  readonly rows: readonly [string[], string][];
  readonly between?: string;
}) {
  return (
    <div>
      <Title order={3} size="h5" mb="xs">
        {title}
      </Title>
      <Table>
        <Table.Tbody>
          {rows.map(([keys, what]) => (
            <Table.Tr key={keys.join() + what}>
              <Table.Td>{what}</Table.Td>
              <Table.Td>
                <Group gap={6} justify="flex-end" wrap="nowrap">
                  {keys.map((key, at) => (
                    <Group key={key} gap={6} wrap="nowrap">
                      {at > 0 && (
                        <Text size="xs" c="dimmed">
                          {between}
                        </Text>
                      )}
                      <Kbd>{key}</Kbd>
                    </Group>
                  ))}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
