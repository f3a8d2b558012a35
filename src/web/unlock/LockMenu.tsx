// The vault's lock and when it closes by itself.

import { Badge, Button, Group, Menu, Tooltip } from "@mantine/core";
import {
  IconCheck,
  IconChevronDown,
  IconFingerprint,
  IconLock,
  IconShieldCheck,
  IconShieldX,
} from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useRights } from "../api/session.ts";
import { formatCount } from "../format/numbers.ts";
import { Dialogue } from "../parts/Dialogue.tsx";
import { Lines } from "../parts/QueryStates.tsx";
import { FILES } from "../strings/files.ts";
import { IDLE_CHOICES, type LogState, lockVault, type OpenVault, setLockSettings, useVault } from "./vault-store.ts";

const PasskeyForm = lazy(async () => ({ default: (await import("./PasskeyForm.tsx")).PasskeyForm }));

/** The lock of this vault, or of whichever is open; nothing while none is. Every page that shows sealed things has it among its actions. */
export function VaultLock({ vault }: { readonly vault?: string | undefined }) {
  const { open } = useVault();
  if (open === undefined || (vault !== undefined && open.id !== vault)) return null;
  return <LockMenu vault={open} />;
}

function LockMenu({ vault }: { readonly vault: OpenVault }) {
  const { lock } = useVault();
  const { may } = useRights();
  const [isAdding, setAdding] = useState(false);
  // Keyslots are changed by owners only.
  const canAdd = "PublicKeyCredential" in globalThis && may("owner", vault.id);
  const tick = (isOn: boolean) => (isOn ? <IconCheck size={16} aria-hidden /> : <span style={{ width: 16 }} />);
  return (
    <Group gap={0} wrap="nowrap">
      <Button
        variant="default"
        leftSection={<IconLock size={18} aria-hidden />}
        onClick={() => lockVault()}
        style={{ borderTopRightRadius: 0, borderBottomRightRadius: 0 }}
      >
        {FILES.lock}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="default"
            px={8}
            aria-label={FILES.lockAfter}
            style={{ borderTopLeftRadius: 0, borderBottomLeftRadius: 0, borderLeft: 0 }}
          >
            <IconChevronDown size={16} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{FILES.lockAfter}</Menu.Label>
          {IDLE_CHOICES.map((idleMinutes) => (
            <Menu.Item
              key={idleMinutes}
              leftSection={tick(lock.idleMinutes === idleMinutes)}
              onClick={() => setLockSettings({ ...lock, idleMinutes })}
            >
              {idleMinutes === 0 ? FILES.lockNever : FILES.lockMinutes(formatCount(idleMinutes))}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item
            leftSection={tick(lock.whenHidden)}
            onClick={() => setLockSettings({ ...lock, whenHidden: !lock.whenHidden })}
          >
            {FILES.lockHidden}
          </Menu.Item>
          {canAdd && (
            <>
              <Menu.Divider />
              <Menu.Item leftSection={<IconFingerprint size={16} aria-hidden />} onClick={() => setAdding(true)}>
                {FILES.addPasskey}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Dialogue opened={isAdding} onClose={() => setAdding(false)} title={FILES.addPasskeyTitle} centered>
        <Suspense fallback={<Lines />}>
          <PasskeyForm vault={vault.id} onDone={() => setAdding(false)} />
        </Suspense>
      </Dialogue>
    </Group>
  );
}

export function LogBadge({ log }: { readonly log: LogState }) {
  switch (log.is) {
    case "checking":
      return (
        <Badge variant="light" color="gray" tt="none" size="lg">
          {FILES.log.checking}
        </Badge>
      );
    case "good":
      return (
        <Tooltip label={FILES.log.goodHelp} multiline maw={320}>
          <Badge
            variant="light"
            color="forest"
            tt="none"
            size="lg"
            tabIndex={0}
            leftSection={<IconShieldCheck size={14} aria-hidden />}
          >
            {FILES.log.good}
          </Badge>
        </Tooltip>
      );
    case "bad":
      return (
        <Tooltip
          label={log.problems
            .slice(0, 8)
            .map(({ object, detail }) => `${object}: ${detail}`)
            .join("\n")}
          multiline
          maw={420}
        >
          <Badge
            variant="filled"
            color="red"
            tt="none"
            size="lg"
            tabIndex={0}
            leftSection={<IconShieldX size={14} aria-hidden />}
          >
            {FILES.log.bad(formatCount(log.problems.length))}
          </Badge>
        </Tooltip>
      );
    case "failed":
      return (
        <Tooltip label={log.error.message} multiline maw={420}>
          <Badge variant="light" color="amber" tt="none" size="lg" tabIndex={0}>
            {FILES.log.failed}
          </Badge>
        </Tooltip>
      );
  }
}
