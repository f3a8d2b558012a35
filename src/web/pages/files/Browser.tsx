// The inside of an unlocked vault: which snapshot, which folder, and what is done with what lies there.

import { ActionIcon, Button, Group, Menu, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import {
  IconArchive,
  IconChevronRight,
  IconDownload,
  IconFolderDown,
  IconGitCompare,
  IconHome,
  IconSearch,
  IconX,
} from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { type RawPath, rawJoin, rawToText } from "../../../core/raw-path.ts";
import { ENTRY } from "../../../wire/v4/tree-types.ts";
import type { RowView, SnapshotView, SortOrder } from "../../engine/reader-api.ts";
import { formatBytes, formatCount, formatTime, plural } from "../../format/numbers.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { FILES } from "../../strings/files.ts";
import type { OpenVault } from "../../unlock/vault-store.ts";
import { downloadArchive, downloadFile, restoreFiles } from "./actions.ts";
import classes from "./Browser.module.css";
import { CompareDialogue } from "./CompareDialogue.tsx";
import { Details, type Subject } from "./Details.tsx";
import { FileTable, type Picked } from "./FileTable.tsx";
import { RestoreDialogue } from "./RestoreDialogue.tsx";
import { Timeline } from "./Timeline.tsx";
import { type ListAsk, type ListState, useList } from "./use-list.ts";

const ROOT = "/" as RawPath;
const SEARCH_AFTER_MS = 300;
const BY_NAME: SortOrder = { by: "name", descending: false };

export function Browser({ vault }: { readonly vault: OpenVault }) {
  const { client, snapshots } = vault;
  // Other pages lead here to a device or to one snapshot.
  const asked = useSearch({ strict: false }) as { readonly device?: string; readonly snapshot?: SnapshotView["id"] };
  const isKnown = snapshots.some((each) => each.device === asked.device);
  const [device, setDevice] = useState(isKnown ? asked.device : undefined);
  const [chosen, setChosen] = useState(asked.snapshot);
  const current =
    snapshots.find(({ id }) => id === chosen) ??
    snapshots.find((each) => device === undefined || each.device === device)!;
  const [path, setPath] = useState<RawPath>();
  const folder = path ?? startOf(current);
  const [order, setOrder] = useState(BY_NAME);
  const [search, setSearch] = useState("");
  const [text] = useDebouncedValue(search.trim(), SEARCH_AFTER_MS);
  const [other, setOther] = useState<SnapshotView>();
  const [picked, setPicked] = useState<Picked>(new Map());
  const [subject, setSubject] = useState<Subject>();
  const [dialogue, setDialogue] = useState<"compare" | "restore">();

  const ask = askOf({ current, folder, text: search.trim() === "" ? "" : text, other });
  const { state, change } = useList(client, ask, order);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was picked belongs to what was shown
  useEffect(() => setPicked(new Map()), [current.id, folder, ask?.kind]);

  const sort = (next: SortOrder): void => {
    setOrder(next);
    change((list) => client.call("sort", { list, order: next }));
  };
  const toggle = ({ entry }: RowView): void =>
    change((list, onEvent) => client.call("toggle", { list, entry }, { onEvent }));
  const go = (to: RawPath): void => {
    setSearch("");
    setOther(undefined);
    setPath(to);
  };
  const open = (row: RowView): void => {
    if (row.type === ENTRY.directory && row.change !== "removed") go(row.path);
    else setSubject({ row, snapshot: row.change === "removed" && other ? olderOf(current, other).id : current.id });
  };
  const pick = (row: RowView): void => {
    if (row.change === "removed") return;
    setPicked((before) => {
      const next = new Map(before);
      if (!next.delete(row.path)) next.set(row.path, row);
      return next;
    });
  };
  const show = (snapshot: SnapshotView): void => setChosen(snapshot.id);
  const paths = picked.size > 0 ? [...picked.keys()] : [folder];
  const only = picked.size === 1 ? [...picked.values()][0] : undefined;
  const isOneFile = only?.type === ENTRY.file;
  const name = only?.name ?? (nameOf(folder) || vault.name);
  const archive = (format: "zip" | "tar"): Promise<void> =>
    downloadArchive(client, { snapshot: current.id, paths, format, name });

  return (
    <Stack gap="md">
      <Timeline
        snapshots={snapshots}
        current={current}
        device={device}
        onDevice={(next) => {
          setDevice(next);
          setChosen(undefined);
          setPath(undefined);
        }}
        onPick={show}
      />
      <Group gap="sm" align="flex-end">
        <TextInput
          flex="1 1 220px"
          maw={460}
          type="search"
          aria-label={FILES.search}
          placeholder={`${FILES.search}: ${FILES.searchHelp}`}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          rightSection={
            search !== "" && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={FILES.clearSearch}
                onClick={() => setSearch("")}
              >
                <IconX size={16} aria-hidden />
              </ActionIcon>
            )
          }
        />
        <Group gap="xs" ml="auto">
          {other ? (
            <Button variant="light" leftSection={<IconX size={18} aria-hidden />} onClick={() => setOther(undefined)}>
              {FILES.closeComparison}
            </Button>
          ) : (
            <Button
              variant="default"
              leftSection={<IconGitCompare size={18} aria-hidden />}
              disabled={snapshots.length < 2}
              onClick={() => setDialogue("compare")}
            >
              {FILES.compare}
            </Button>
          )}
          {isOneFile ? (
            <Button
              variant="default"
              leftSection={<IconDownload size={18} aria-hidden />}
              onClick={() => void downloadFile(client, { snapshot: current.id, path: only.path, name: only.name })}
            >
              {FILES.download}
            </Button>
          ) : (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />}>
                  {FILES.download}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconArchive size={16} aria-hidden />} onClick={() => void archive("zip")}>
                  {FILES.downloadZip}
                </Menu.Item>
                <Menu.Item leftSection={<IconArchive size={16} aria-hidden />} onClick={() => void archive("tar")}>
                  {FILES.downloadTar}
                  <Text size="xs" c="dimmed">
                    {FILES.downloadTarHelp}
                  </Text>
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
          <Button leftSection={<IconFolderDown size={18} aria-hidden />} onClick={() => setDialogue("restore")}>
            {FILES.restore}
          </Button>
        </Group>
      </Group>
      <Crumbs path={folder} onGo={go} />
      {state.error ? (
        <ErrorNote error={state.error} onRetry={() => go(ROOT)} />
      ) : (
        <FileTable
          client={client}
          list={state.list}
          count={state.count}
          version={state.version}
          isLoading={state.isLoading}
          isTree={ask?.kind === "tree"}
          hasChanges={other !== undefined}
          order={ask?.kind === "tree" || !state.isLoading ? order : undefined}
          picked={picked}
          emptyText={emptyOf(ask)}
          foot={
            <Foot
              state={state}
              ask={ask}
              picked={picked}
              current={current}
              other={other}
              onClear={() => setPicked(new Map())}
            />
          }
          onSort={sort}
          onToggle={toggle}
          onOpen={open}
          onPick={pick}
        />
      )}
      <Details
        client={client}
        subject={subject}
        onClose={() => setSubject(undefined)}
        onDownload={({ row, snapshot }) => void downloadFile(client, { snapshot, path: row.path, name: row.name })}
        onShow={(version, row) =>
          setSubject({
            snapshot: version.snapshot,
            row: { ...row, type: version.type, size: version.size, mtimeMs: version.mtimeMs },
          })
        }
      />
      <CompareDialogue
        current={current}
        snapshots={snapshots}
        isOpen={dialogue === "compare"}
        onClose={() => setDialogue(undefined)}
        onStart={(found) => {
          setSearch("");
          setOther(found);
          setDialogue(undefined);
        }}
      />
      <RestoreDialogue
        what={
          only?.name ??
          (picked.size > 0 ? FILES.thingsOf(formatCount(picked.size)) : nameOf(folder) || FILES.everything)
        }
        isOpen={dialogue === "restore"}
        onClose={() => setDialogue(undefined)}
        onStart={(existing) => {
          setDialogue(undefined);
          void restoreFiles(client, { snapshot: current.id, paths, existing });
        }}
      />
    </Stack>
  );
}

function Crumbs({ path, onGo }: { readonly path: RawPath; onGo(path: RawPath): void }) {
  const bar = useRef<HTMLElement>(null);
  const names = path.split("/").filter((name) => name !== "") as RawPath[];
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end of a long path is what one wants to see
  useEffect(() => {
    if (bar.current) bar.current.scrollLeft = bar.current.scrollWidth;
  }, [path]);
  let at = ROOT;
  return (
    <nav ref={bar} className={classes.crumbs} aria-label={FILES.path}>
      <UnstyledButton
        className={classes.crumb ?? ""}
        onClick={() => onGo(ROOT)}
        {...(names.length === 0 && { "aria-current": "page" as const })}
      >
        <Group gap={6} wrap="nowrap">
          <IconHome size={16} aria-hidden />
          {FILES.rootFolder}
        </Group>
      </UnstyledButton>
      {names.map((name, i) => {
        at = rawJoin(at, name);
        const to = at;
        return (
          <Group key={to} gap={2} wrap="nowrap" style={{ flex: "none" }}>
            <IconChevronRight size={14} aria-hidden color="var(--mantine-color-dimmed)" />
            <UnstyledButton
              className={classes.crumb ?? ""}
              onClick={() => onGo(to)}
              {...(i === names.length - 1 && { "aria-current": "page" as const })}
            >
              {rawToText(name)}
            </UnstyledButton>
          </Group>
        );
      })}
    </nav>
  );
}

function Foot({
  state: { count, isLoading, seen, counts },
  ask,
  picked,
  current,
  other,
  onClear,
}: {
  readonly state: ListState;
  readonly ask: ListAsk | undefined;
  readonly picked: Picked;
  readonly current: SnapshotView;
  readonly other: SnapshotView | undefined;
  onClear(): void;
}) {
  const bytes = [...picked.values()].reduce((sum, { size }) => sum + size, 0);
  return (
    <>
      <span>
        {ask?.kind === "find" &&
          (isLoading ? FILES.searching(formatCount(seen)) : plural(count, FILES.foundOne, FILES.found))}
        {ask?.kind === "tree" && plural(count, FILES.entry, FILES.entries)}
        {ask?.kind === "compare" && other && (
          <>
            {FILES.comparison(
              formatTime(olderOf(current, other).receivedAt),
              formatTime(newerOf(current, other).receivedAt),
            )}
            {counts &&
              `: ${FILES.changeCounts(formatCount(counts.added), formatCount(counts.changed), formatCount(counts.removed))}`}
          </>
        )}
      </span>
      {picked.size > 0 && (
        <>
          <span style={{ marginLeft: "auto", fontWeight: 600 }}>
            {plural(picked.size, FILES.selectedOne, FILES.selected)}
            {bytes > 0 && `, ${formatBytes(bytes)}`}
          </span>
          <Button size="compact-xs" variant="subtle" onClick={onClear}>
            {FILES.clear}
          </Button>
        </>
      )}
    </>
  );
}

function askOf({
  current,
  folder,
  text,
  other,
}: {
  readonly current: SnapshotView;
  readonly folder: RawPath;
  readonly text: string;
  readonly other: SnapshotView | undefined;
}): ListAsk | undefined {
  if (current.problem !== undefined) return undefined;
  if (other) {
    return { kind: "compare", before: olderOf(current, other).id, after: newerOf(current, other).id, path: ROOT };
  }
  if (text !== "") return { kind: "find", snapshot: current.id, path: folder, text };
  return { kind: "tree", snapshot: current.id, path: folder };
}

function emptyOf(ask: ListAsk | undefined): string {
  if (ask?.kind === "find") return FILES.nothingFound;
  return ask?.kind === "compare" ? FILES.nothingChanged : FILES.emptyFolder;
}

function olderOf(a: SnapshotView, b: SnapshotView): SnapshotView {
  return a.receivedAt <= b.receivedAt ? a : b;
}

function newerOf(a: SnapshotView, b: SnapshotView): SnapshotView {
  return a.receivedAt <= b.receivedAt ? b : a;
}

/** One begins where the backup begins, not five empty folders above it. */
function startOf({ info }: SnapshotView): RawPath {
  const [only, ...rest] = info?.paths ?? [];
  if (!only || rest.length > 0) return ROOT;
  return (only.raw.slice(0, only.raw.lastIndexOf("/")) || "/") as RawPath;
}

function nameOf(path: RawPath): string {
  return rawToText(path.slice(path.lastIndexOf("/") + 1) as RawPath);
}
