// The worker in which a vault is read: everything that needs a key happens here. One worker is one unlocked vault; ending it locks it.

import { AppError } from "../../core/errors.ts";
import type { SnapshotId } from "../../core/ids.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { rawFromBytes, rawToText } from "../../core/raw-path.ts";
import type { PasskeyPrompt } from "../../crypto/passkey.ts";
import { diffTrees } from "../../engine/reader/diff.ts";
import { rootOf, versionsOf } from "../../engine/reader/search.ts";
import type { ListedSnapshot, OpenedSnapshot } from "../../engine/reader/snapshots.ts";
import { type FoundEntry, lookup, ROOT_PATH, requireEntry } from "../../engine/reader/tree-reader.ts";
import { walkStretches } from "../../engine/reader/walk.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import type { SnapshotRow } from "../../wire/v4/vault-port.ts";
import { addPasskey } from "./add-passkey.ts";
import { folderSource } from "./files/folder-source.ts";
import { FoundList } from "./files/found-list.ts";
import { previewOf } from "./files/preview.ts";
import { Progress } from "./files/progress.ts";
import { restoreInto } from "./files/restore.ts";
import { saveArchive, saveFile } from "./files/save.ts";
import { pickedEntries } from "./files/selection.ts";
import { clearStorage } from "./files/storage.ts";
import { TreeList } from "./files/tree-list.ts";
import { nameMatcher } from "./name-match.ts";
import type { ListView, ReaderApi, SnapshotView, WindowApi } from "./reader-api.ts";
import { ReaderSession } from "./reader-session.ts";
import { type Endpoint, Peer, type Service } from "./rpc.ts";

/** Between two tellings of how far something is. */
const TELL_EVERY_MS = 150;

let session: ReaderSession | undefined;
const lists = new Map<number, TreeList | FoundList>();
let nextList = 1;

const service: Service<ReaderApi> = {
  async open({ vault }, { emit }) {
    session = await ReaderSession.open(vault, emit);
    void clearStorage().catch(() => undefined);
    return { vault: session.vault.vaultId, keyslots: await session.vault.keyslots() };
  },

  async unlock(how, { emit }) {
    await opened().unlock(how, prompt, emit);
    return null;
  },

  async enrol({ vaultName, name }) {
    await opened().enrol(vaultName, name);
    return null;
  },

  addKeyslot: (wish) => opened().addKeyslot(wish),

  async runDetails(about) {
    const { plan, host, message, paths, problems, more } = await opened().runDetails(about);
    return {
      ...{ plan, host, message, more },
      paths: paths.map((path) => rawToText(rawFromBytes(path))),
      problems: problems.map(({ path, code }) => ({ path: rawToText(rawFromBytes(path)), code })),
    };
  },

  async invite(wish) {
    const { code, endsAt } = await opened().invite(wish);
    return { code, endsAt };
  },

  planBodies: ({ device }) => opened().planBodies(device),

  planChange: (wish) => opened().planChange(wish),

  planTokens: ({ names }) => opened().planTokens(names),

  async addPasskey(wish) {
    await addPasskey(opened(), wish, prompt);
    return null;
  },

  async acceptHead() {
    await opened().acceptHead();
    return null;
  },

  checkLog: () => opened().checkLog(),

  async snapshots(_, { emit, signal }) {
    const rows = await opened().rows();
    const views: SnapshotView[] = rows.map((row) => viewOf(row));
    emit(views);
    const fresh: SnapshotView[] = [];
    const tell = paced(() => emit(fresh.splice(0)));
    await Promise.all(
      rows.map(async (row, i) => {
        if (signal.aborted) return;
        const view = viewOf(row, await opened().open(row));
        views[i] = view;
        fresh.push(view);
        tell();
      }),
    );
    return views;
  },

  async tree({ snapshot, path, order }, { signal, emit }) {
    const source = folderSource(opened().reader, await opened().snapshot(snapshot));
    const list = new TreeList(source, path, order);
    const number = keep(list);
    await list.load(signal, () => emit(sizeOf(number, list)));
    return sizeOf(number, list);
  },

  async toggle({ list: number, entry }, { signal, emit }) {
    const list = listOf(number);
    if (list instanceof TreeList) await list.toggle(entry, signal, () => emit(sizeOf(number, list)));
    return sizeOf(number, list);
  },

  sort({ list: number, order }) {
    const list = listOf(number);
    list.sort(order);
    return sizeOf(number, list);
  },

  rows: ({ list, from, to }) => listOf(list).rows(from, to),

  forget({ list }) {
    lists.delete(list);
    return null;
  },

  async find({ snapshot, path, text }, { signal, emit }) {
    const matches = nameMatcher(text);
    const from = await opened().snapshot(snapshot);
    const reader = opened().reader.of(from);
    const start = await entryAt(from, path, signal);
    const list = new FoundList();
    const number = keep(list);
    let seen = 0;
    const tell = paced(() => emit({ ...sizeOf(number, list), seen }));
    for await (const stretch of walkStretches(reader, start, { signal })) {
      for (const step of stretch) {
        if (step.kind !== "enter" && step.kind !== "entry") continue;
        seen++;
        if (step.path !== start.path && matches(step.path, step.kind === "enter")) list.add(step.path, step.entry);
      }
      tell();
    }
    emit({ ...sizeOf(number, list), seen });
    return sizeOf(number, list);
  },

  async compare({ before, after, path }, { signal, emit }) {
    const { reader } = opened();
    const [left, right] = [await opened().snapshot(before), await opened().snapshot(after)];
    const readers = { before: reader.of(left), after: reader.of(right) };
    const [was, is] = await Promise.all([left, right].map((from) => entryOrNothing(from, path, signal)));
    const list = new FoundList();
    const number = keep(list);
    const counts = { added: 0, removed: 0, changed: 0 };
    const tell = paced(() => emit(sizeOf(number, list)));
    for await (const change of diffTrees(readers, was ?? emptyFolder(path), is ?? emptyFolder(path), { signal })) {
      if (change.path === path) continue;
      list.add(change.path, (change.after ?? change.before)!, change.kind, change.before);
      counts[change.kind === "added" || change.kind === "removed" ? change.kind : "changed"]++;
      tell();
    }
    return { ...sizeOf(number, list), ...counts };
  },

  async versions({ path }, { signal, emit }) {
    const rows = (await opened().rows()).reverse();
    let done = 0;
    const tell = paced(() => emit({ done, total: rows.length }));
    const snapshots: ListedSnapshot[] = [];
    for (const row of rows) {
      snapshots.push(await opened().open(row));
      done++;
      tell();
    }
    const versions = await versionsOf(opened().reader, path, { signal, snapshots });
    return versions.reverse().map(({ snapshot, entry, alsoIn }) => ({
      snapshot: snapshot.row.id,
      receivedAt: snapshot.row.receivedAt,
      deviceName: snapshot.deviceName,
      type: entry.type,
      size: entry.size ?? 0,
      mtimeMs: mtimeOf(entry),
      alsoIn: alsoIn.length,
    }));
  },

  async preview({ snapshot, path }, { signal, transfer }) {
    const from = await opened().snapshot(snapshot);
    const preview = await previewOf(opened().reader.of(from), await entryAt(from, path, signal), signal);
    if ("bytes" in preview) transfer(preview.bytes.buffer);
    return preview;
  },

  async save({ snapshot, path, target }, { signal, emit }) {
    const from = await opened().snapshot(snapshot);
    const found = await entryAt(from, path, signal);
    return saveFile(found, { reader: opened().reader.of(from), target, signal, progress: new Progress(emit) });
  },

  async archive({ snapshot, paths, format, target }, { signal, emit }) {
    const from = await opened().snapshot(snapshot);
    const reader = opened().reader.of(from);
    const picked = await pickedEntries(reader, from, paths, signal);
    return saveArchive(picked, { reader, format, target, signal, progress: new Progress(emit) });
  },

  async restore({ snapshot, paths, directory, existing, isAgain }, { signal, emit }) {
    const from = await opened().snapshot(snapshot);
    const reader = opened().reader.of(from);
    const picked = await pickedEntries(reader, from, paths, signal);
    return restoreInto({ reader, picked, directory, existing, isAgain, signal, progress: new Progress(emit) });
  },
};

const page = new Peer<WindowApi>(self as unknown as Endpoint, service);
const prompt: PasskeyPrompt = {
  wrap: async (credential, fileKey) => [...(await page.call("wrapByPasskey", { credential, fileKey }))],
  unwrap: (credential, stanzas) => page.call("unwrapByPasskey", { credential, stanzas }),
};

function opened(): ReaderSession {
  if (session) return session;
  throw new AppError("internal", { context: { detail: "no vault is open" } });
}

function keep(list: TreeList | FoundList): number {
  lists.set(nextList, list);
  return nextList++;
}

function listOf(number: number): TreeList | FoundList {
  const list = lists.get(number);
  if (list) return list;
  throw new AppError("internal", { context: { detail: "the list is gone" } });
}

function sizeOf(list: number, { count }: { readonly count: number }): ListView {
  return { list, count };
}

async function entryOrNothing(
  snapshot: OpenedSnapshot,
  path: RawPath,
  signal: AbortSignal,
): Promise<FoundEntry | undefined> {
  return path === ROOT_PATH ? rootOf(snapshot) : lookup(opened().reader.of(snapshot), snapshot.info, path, { signal });
}

function entryAt(snapshot: OpenedSnapshot, path: RawPath, signal: AbortSignal): Promise<FoundEntry> {
  return path === ROOT_PATH
    ? Promise.resolve(rootOf(snapshot))
    : requireEntry(opened().reader.of(snapshot), snapshot.info, path, { signal });
}

/** What a folder that is not there is compared as. */
function emptyFolder(path: RawPath): FoundEntry {
  const time = { mtimeSeconds: 0, mtimeNanos: 0, ctimeSeconds: 0, ctimeNanos: 0 };
  const entry: TreeEntry = { type: ENTRY.directory, name: "" as RawPath, mode: 0, uid: 0, gid: 0, ...time };
  return { path, entry, owners: { users: new Map(), groups: new Map() } };
}

function viewOf(row: SnapshotRow, listed?: ListedSnapshot): SnapshotView {
  const view = {
    id: row.id as SnapshotId,
    receivedAt: row.receivedAt,
    device: row.device,
    deviceName: opened().deviceName(row) ?? row.device.slice(0, 8),
    isPinned: row.pinnedUntil !== undefined,
  };
  if (!listed) return view;
  if (listed.error) return { ...view, problem: listed.error.message };
  const { host, plan, tags, paths, startedAt, endedAt, stats, errors } = listed.info;
  return {
    ...view,
    info: {
      ...{ host, plan, tags, startedAt, endedAt, stats },
      paths: paths.map((raw) => ({ raw, text: rawToText(raw) })),
      errors: {
        count: errors.count,
        first: errors.first.map(({ path, reason }) => ({ path: rawToText(path), reason })),
      },
    },
  };
}

function mtimeOf({ mtimeSeconds, mtimeNanos }: TreeEntry): number {
  return mtimeSeconds * 1000 + Math.floor(mtimeNanos / 1e6);
}

/** `tell`, but not more often than people can read. */
function paced(tell: () => void): () => void {
  let toldAt = 0;
  return () => {
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    tell();
  };
}
