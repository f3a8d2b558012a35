// The steps of a schedule: each is a kind and a seed of its own, so that leaving others out does not change what it asks for.
// A step begins an operation as a device, a person or the server would, notes what may happen, and judges the answer when it comes.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { type Bytes, toHex } from "../../src/core/bytes.ts";
import { type ErrorCode, isAppError } from "../../src/core/errors.ts";
import type { SessionId, SnapshotId } from "../../src/core/ids.ts";
import { memoryStore } from "../../src/storage/memory-store.ts";
import { applyRetention } from "../../src/vault/apply-retention.ts";
import { packKey } from "../../src/vault/object-keys.ts";
import { rebuildIndex } from "../../src/vault/rebuild.ts";
import type { LogEvent } from "../../src/wire/v4/log-entry.ts";
import { hashOf, makePack, makeRecord, PLAN, type Prng, signed, stream, type TestBlock } from "../vault/kit.ts";
import { type Change, type ModelBlock, type ModelSession, type ModelSnapshot, Promises } from "./promises.ts";
import type { Outcome } from "./turns.ts";
import type { Process, Stage } from "./world.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LEASE_MS = 10 * MINUTE;
export const CHUNKS = 18;
const MAX_DAMAGES = 3;
const MAX_TASKS = 5;

export class Game {
  readonly stage: Stage;
  readonly model: Promises;
  /** Aborts what runs in the background. */
  readonly cancels = new Set<AbortController>();
  /** Collections that run: each is told of a snapshot that is new, which it may purge once somebody removes it. */
  readonly collections = new Set<(id: SnapshotId) => void>();
  readonly trail: string[] = [];

  constructor(stage: Stage) {
    this.stage = stage;
    this.model = new Promises(
      Array.from({ length: CHUNKS }, () => stage.random.bytes(32) as never),
      stage.devices.map(({ device }) => device),
    );
  }

  get now(): number {
    return this.stage.clock.now();
  }

  /** Compares the model with what is there, if anybody has the vault open. */
  observe(): void {
    const context = this.stage.processes.find((process) => process !== undefined)?.vault.context;
    if (context !== undefined) this.model.observe(context, this.stage.disk, this.now);
  }

  async process(random: Prng): Promise<Process> {
    const slot = random.below(4) === 0 ? 1 : 0;
    if (this.stage.processes[slot] === undefined) {
      const process = await this.stage.process(slot, random.below(2) === 0 ? "clean" : "torn");
      this.model.resolve(process.vault.context, this.stage.disk, this.now);
    }
    return this.stage.processes[slot]!;
  }

  /**
   * Begins an operation. `done` gets its answer, `failed` an error that is not a crash: it throws when that should not have been.
   * When the process dies first, `lost` is told.
   */
  start<T>(
    process: Process,
    name: string,
    work: () => Promise<T>,
    on: { done(value: T): void; failed(code: ErrorCode): void; lost(): void },
  ): Promise<void> {
    return this.stage.turns.start(process.id, name, work, (outcome: Outcome<T>) => {
      if ("value" in outcome) return on.done(outcome.value);
      if (process.breaker.isStopped) return on.lost();
      if (!isAppError(outcome.error)) throw outcome.error;
      try {
        on.failed(outcome.error.code);
      } catch (cause) {
        throw new Error(`${name} failed: ${outcome.error.message}`, { cause: outcome.error.stack ?? cause });
      }
    });
  }

  /** Sessions that fell silent may be gone once a collection has run. */
  noteReaping(): void {
    if (!this.stage.turns.isRunning("gc")) return;
    for (const session of this.model.sessions) {
      if (session.state === "open" && this.now > session.aliveUntil) session.state = "maybe";
    }
  }
}

type Step = (game: Game, random: Prng) => Promise<void>;

/** Kinds of steps, and how often each is chosen. */
export const STEPS: Readonly<Record<string, readonly [number, Step]>> = {
  open: [8, openSession],
  find: [8, findChunks],
  put: [14, putPack],
  commit: [9, commit],
  repeat: [4, repeatCall],
  close: [1, closeSession],
  reopen: [1, reopenSession],
  remove: [6, (game, random) => changeSnapshot(game, random, "remove")],
  undelete: [3, (game, random) => changeSnapshot(game, random, "undelete")],
  pin: [2, (game, random) => changeSnapshot(game, random, "pin")],
  unpin: [1, (game, random) => changeSnapshot(game, random, "unpin")],
  trust: [4, changeTrust],
  retention: [2, retention],
  gc: [10, collect],
  scrub: [4, scrub],
  check: [1, check],
  read: [4, read],
  damage: [2, damage],
  cancel: [1, cancel],
  crash: [4, crash],
  kill: [2, kill],
  restart: [1, restart],
  rebuild: [1, rebuild],
  wait: [7, wait],
  turns: [12, turns],
};

function pick<T>(random: Prng, items: readonly T[]): T | undefined {
  return items[random.below(Math.max(1, items.length))];
}

function allow(code: ErrorCode, ...allowed: (ErrorCode | false | undefined)[]): void {
  assert.ok(allowed.includes(code), `${code} where ${allowed.filter(Boolean).join(", ") || "success"} was due`);
}

// Devices

async function openSession(game: Game, random: Prng): Promise<void> {
  const { model } = game;
  const open = model.sessions.filter(({ state }) => state === "open");
  if (open.length >= 4) return;
  const process = await game.process(random);
  const base = random.below(2) === 0 ? pick(random, [...model.snapshots.values()]) : undefined;
  const device = random.below(game.stage.devices.length);
  const session: ModelSession = {
    id: toHex(random.bytes(16)) as SessionId,
    device,
    holds: new Map(),
    keeps: new Set(),
    packs: [],
    record: undefined,
    counter: 0,
    aliveUntil: game.now + LEASE_MS,
    state: "maybe",
    calls: 1,
  };
  model.sessions.push(session);
  const touches = model.trustTouches;
  const request = { session: session.id, device: game.stage.devices[device]!.device, plan: PLAN, base: base?.id };
  await game.start(process, "open", () => process.vault.openSession(request), {
    done(grant) {
      session.calls = 0;
      session.state = "open";
      if (!grant.baseAccepted) {
        if (base !== undefined && model.isSettled(base.id)) {
          assert.ok(base.state !== "live" && base.state !== "trash", "a base that is there was refused");
        }
        return;
      }
      for (const [chunk, blockNo] of base!.content) {
        session.keeps.add(blockNo);
        if (!grant.damagedBlocks.includes(blockNo)) session.holds.set(chunk, blockNo);
      }
      if (touches !== model.trustTouches) return;
      for (const blockNo of grant.damagedBlocks) {
        const isGood = model.block(blockNo)?.damaged === false && model.trusts("surely", device, blockNo);
        assert.ok(!isGood, `block ${blockNo} of the base is said to be bad`);
      }
      for (const blockNo of session.holds.values()) {
        assert.ok(model.trusts("maybe", device, blockNo), `block ${blockNo} of the base is another group's`);
      }
    },
    failed: (code) => allow(code),
    lost() {
      session.calls = 0;
    },
  });
}

/** A session that the step may use now, and its process. */
async function sessionFor(game: Game, random: Prng, atOnce: number): Promise<[ModelSession, Process] | undefined> {
  const fit = ({ state, calls, record }: ModelSession) =>
    calls < atOnce &&
    (atOnce === 1 || record === undefined) &&
    (state === "open" || (state === "maybe" && random.below(3) === 0));
  const session = pick(random, game.model.sessions.filter(fit));
  return session && [session, await game.process(random)];
}

/** One call of a session: that it was answered shows that its lease stood. */
function call<T>(
  game: Game,
  process: Process,
  session: ModelSession,
  name: string,
  work: () => Promise<T>,
  on: { done(value: T): void; mayFailWith?(): readonly ErrorCode[]; lost?(): void; failed?(): void },
): Promise<void> {
  session.calls++;
  const startedAt = game.now;
  return game.start(process, name, work, {
    done(value) {
      session.calls--;
      if (session.state === "maybe") session.state = "open";
      session.aliveUntil = Math.max(session.aliveUntil, startedAt + LEASE_MS / 2);
      game.noteReaping();
      on.done(value);
    },
    failed(code) {
      session.calls--;
      if (code === "session_unknown" && session.state !== "open") session.state = "ended";
      else allow(code, ...(on.mayFailWith?.() ?? []));
      on.failed?.();
    },
    lost() {
      session.calls--;
      on.lost?.();
    },
  });
}

async function findChunks(game: Game, random: Prng): Promise<void> {
  const chosen = await sessionFor(game, random, 2);
  if (chosen === undefined) return;
  const [session, process] = chosen;
  const { model } = game;
  const asked = model.chunkIds
    .keys()
    .filter(() => random.below(3) === 0)
    .toArray();
  const touches = model.trustTouches;
  await call(game, process, session, "find", () => process.vault.findChunks(session.id, model.flat(asked)), {
    done(found) {
      // Learns the numbers of blocks whose receipt was lost.
      game.observe();
      const isSettled = touches === model.trustTouches;
      asked.forEach((chunk, i) => {
        const blockNo = found[i]!;
        if (blockNo === 0) {
          const known = [...model.visible().map(({ content }) => content.get(chunk)), session.holds.get(chunk)];
          const sound = known.find(
            (number) =>
              number !== undefined &&
              model.block(number)?.damaged === false &&
              model.trusts("surely", session.device, number),
          );
          if (isSettled) assert.equal(sound, undefined, `chunk ${chunk} is said to be missing`);
          return;
        }
        const isTrusted = !isSettled || model.trusts("maybe", session.device, blockNo);
        assert.ok(isTrusted, `chunk ${chunk} is said to lie in block ${blockNo} of another group`);
        assert.ok(model.block(blockNo)?.chunks.includes(chunk), `chunk ${chunk} is said to lie in block ${blockNo}`);
        session.holds.set(chunk, blockNo);
        session.keeps.add(blockNo);
      });
    },
  });
}

async function putPack(game: Game, random: Prng): Promise<void> {
  const chosen = await sessionFor(game, random, 2);
  if (chosen === undefined) return;
  const [session, process] = chosen;
  const { model, stage } = game;
  const wanted = model.chunkIds
    .keys()
    .filter((chunk) => random.below(session.holds.has(chunk) ? 12 : 4) === 0)
    .toArray();
  if (wanted.length === 0) wanted.push(random.below(CHUNKS));
  const blocks: TestBlock[] = [];
  const known: ModelBlock[] = [];
  while (wanted.length > 0) {
    const chunks = wanted.splice(0, 1 + random.below(3));
    const sealed = random.bytes(40 + random.below(60));
    blocks.push({
      sealed,
      chunkIds: chunks.map((chunk) => model.chunkIds[chunk]!),
      kind: random.below(4) === 0 ? 2 : 1,
    });
    const block = { hash: hashOf(sealed), chunks, device: session.device, damaged: false };
    known.push(block);
    model.blocks.set(block.hash, block);
  }
  const bytes = await makePack(stage.viewOf(session.device, random), session.id, blocks, {
    firstCounter: session.counter,
  });
  session.counter += blocks.length;
  session.packs.push({ bytes, blocks: known });
  await sendPack(game, process, session, bytes, known);
}

function sendPack(
  game: Game,
  process: Process,
  session: ModelSession,
  bytes: Uint8Array,
  blocks: readonly ModelBlock[],
): Promise<void> {
  return call(game, process, session, "put", () => process.vault.putPack(session.id, stream(bytes, 150)), {
    done({ blockNos }) {
      blockNos.forEach((blockNo, i) => {
        const { hash, chunks } = blocks[i]!;
        assert.equal(game.model.numbers.get(blockNo) ?? hash, hash, "a number was given twice");
        game.model.numbers.set(blockNo, hash);
        session.keeps.add(blockNo);
        for (const chunk of chunks) session.holds.set(chunk, blockNo);
      });
    },
    // What a dead collection, or one that thinks the session gone, is just removing.
    mayFailWith: () => (session.state === "open" ? [] : ["vault_busy"]),
  });
}

async function commit(game: Game, random: Prng): Promise<void> {
  const chosen = await sessionFor(game, random, 1);
  if (chosen === undefined) return;
  const [session, process] = chosen;
  const { model, stage } = game;
  if (session.record !== undefined) return sendRecord(game, process, session);
  const content = new Map([...session.holds].filter(() => random.below(4) > 0));
  const refs = [...new Set(content.values())];
  const record = await makeRecord(stage.viewOf(session.device, random), process.vault, session.id, refs);
  session.record = record;
  const snapshot: ModelSnapshot = {
    id: record.id,
    content,
    state: "none",
    trashedAt: 0,
    pin: undefined,
    readable: new Set(),
  };
  model.snapshots.set(record.id, snapshot);
  for (const mayPurge of game.collections) mayPurge(record.id);
  await sendRecord(game, process, session);
}

async function sendRecord(game: Game, process: Process, session: ModelSession): Promise<void> {
  const { model } = game;
  const { bytes, id } = session.record!;
  const snapshot = model.snapshots.get(id)!;
  const change = expectChange(game, { snapshot: id, from: "none", to: "live" });
  await call(game, process, session, "commit", () => process.vault.commit(session.id, bytes), {
    done(result) {
      assert.equal(result.id, id);
      model.changes.delete(change);
      if (snapshot.state === "none") snapshot.state = "live";
      session.state = "ended";
      session.aliveUntil = 0;
    },
    mayFailWith: () =>
      [...snapshot.content.values()].flatMap((no) => (model.block(no)?.damaged ? ["base_gone" as const] : [])),
    failed() {
      // The session goes on without what was damaged; its next record is another one.
      model.changes.delete(change);
      session.record = undefined;
      for (const [chunk, blockNo] of session.holds) if (model.block(blockNo)?.damaged) session.holds.delete(chunk);
    },
    lost() {
      change.isLost = true;
      if (session.state === "open") session.state = "maybe";
    },
  });
}

/** A device that got no answer, or got one and asks again. */
async function repeatCall(game: Game, random: Prng): Promise<void> {
  const { model } = game;
  const session = pick(
    random,
    model.sessions.filter(({ packs, record }) => packs.length > 0 || record !== undefined),
  );
  if (session === undefined) return;
  const process = await game.process(random);
  const isCommitted = session.record !== undefined && model.snapshots.get(session.record.id)!.state !== "none";
  if (isCommitted && model.isSettled(session.record!.id)) {
    const { bytes, id } = session.record!;
    return game.start(process, "repeated commit", () => process.vault.commit(session.id, bytes), {
      done: (result) => assert.equal(result.id, id),
      failed: (code) => allow(code),
      lost: () => undefined,
    });
  }
  const pack = pick(random, session.packs);
  if (pack === undefined || session.record !== undefined) return;
  await sendPack(game, process, session, pack.bytes, pack.blocks);
}

async function closeSession(game: Game, random: Prng): Promise<void> {
  const chosen = await sessionFor(game, random, 1);
  if (chosen === undefined || chosen[0].record !== undefined) return;
  const [session, process] = chosen;
  session.state = "ended";
  await game.start(process, "close", () => process.vault.closeSession(session.id), {
    done: () => undefined,
    failed: (code) => allow(code),
    lost() {
      session.state = "maybe";
    },
  });
}

async function reopenSession(game: Game, random: Prng): Promise<void> {
  const session = pick(
    random,
    game.model.sessions.filter(({ state, keeps }) => state === "ended" && keeps.size > 0),
  );
  if (session === undefined) return;
  const process = await game.process(random);
  const request = {
    session: session.id,
    device: game.stage.devices[session.device]!.device,
    plan: PLAN,
    base: undefined,
  };
  await game.start(process, "reopen", () => process.vault.openSession(request), {
    done: () => assert.fail("a session that has ended was opened again"),
    failed: (code) => allow(code, "session_unknown"),
    lost: () => undefined,
  });
}

/** A person puts a device into another trust group; one at a time, so that which comes last is known. */
async function changeTrust(game: Game, random: Prng): Promise<void> {
  const { model, stage } = game;
  if (model.groups.some(({ size }) => size > 1)) return;
  const process = await game.process(random);
  const device = random.below(stage.devices.length);
  const group = pick(random, ["", "", "apart together", null])!;
  const event: LogEvent = { type: "device-trust", body: { device: stage.devices[device]!.device, group } };
  const statement = await signed(stage.vaultId, stage.devices[0]!, event);
  model.groups[device]!.add(group);
  model.trustTouches++;
  await game.start(process, "trust", () => process.admin.apply(statement), {
    done() {
      model.groups[device] = new Set([group]);
      model.trustTouches++;
    },
    failed: (code) => allow(code),
    lost() {
      model.trustTouches++;
    },
  });
}

/** Reads a snapshot while everything else goes on. */
async function read(game: Game, random: Prng): Promise<void> {
  const { model } = game;
  const snapshot = pick(random, model.visible());
  if (snapshot === undefined) return;
  const process = await game.process(random);
  const chunks = [...snapshot.content.keys()];
  const damages = model.damages;
  const work = async (): Promise<[number, string][]> => {
    const ids = chunks.map((chunk) => model.chunkIds[chunk]!);
    const located = await process.vault.locateChunks(ids, snapshot.id);
    const hashes: [number, string][] = [];
    for await (const { block, sealed } of process.vault.fetchBlocks(located.filter((at) => at !== undefined))) {
      hashes.push([block.blockNo, hashOf(sealed)]);
    }
    return hashes;
  };
  await game.start(process, "read", work, {
    done(hashes) {
      // A reader takes what cannot be read as empty.
      if (process.breaker.isStopped) return;
      game.observe();
      const isThere = snapshot.state === "live" || snapshot.state === "trash";
      if (!isThere || !model.isSettled(snapshot.id) || model.damages !== damages) return;
      const own = new Set(snapshot.content.values());
      for (const [blockNo, hash] of hashes) {
        const block = model.block(blockNo)!;
        // Garbage may stand in for what was damaged, as long as it is there.
        if (own.has(blockNo) && !block.damaged)
          assert.equal(hash, block.hash, `block ${blockNo} was read with other bytes`);
      }
    },
    failed: (code) => allow(code),
    lost: () => undefined,
  });
}

// People and the server's own work

function expectChange(game: Game, change: Omit<Change, "isLost">): Change {
  const pending = { ...change, isLost: false };
  const { changes, touches } = game.model;
  changes.add(pending);
  touches.set(change.snapshot, (touches.get(change.snapshot) ?? 0) + 1);
  return pending;
}

async function changeSnapshot(game: Game, random: Prng, type: "remove" | "undelete" | "pin" | "unpin"): Promise<void> {
  const { model, stage } = game;
  const from = type === "undelete" ? "trash" : "live";
  const to = type === "remove" ? "trash" : "live";
  const fitting = [...model.snapshots.values()].filter(({ state }) =>
    random.below(8) > 0 ? state === from : state !== "none",
  );
  const snapshot = pick(random, fitting);
  if (snapshot === undefined) return;
  const process = await game.process(random);
  const until = random.below(2) === 0 ? 0 : game.now + random.below(3) * 20 * MINUTE;
  const body = type === "pin" ? { snapshot: snapshot.id, until } : { snapshot: snapshot.id };
  const wasSettled = model.isSettled(snapshot.id);
  const before = { state: snapshot.state, pin: snapshot.pin };
  const startedAt = game.now;
  const pin = type === "pin" ? until : type === "unpin" ? undefined : snapshot.pin;
  const change = expectChange(game, { snapshot: snapshot.id, from, to, pin });
  const touches = model.touches.get(snapshot.id);
  const isFree = (): boolean => wasSettled && model.touches.get(snapshot.id) === touches;
  const statement = await signed(stage.vaultId, stage.devices[0]!, { type, body } as LogEvent);
  await game.start(process, type, () => process.admin.apply(statement), {
    done() {
      if (!isFree()) {
        game.observe();
        model.changes.delete(change);
        return;
      }
      model.changes.delete(change);
      assert.equal(before.state, from, `${type} of a snapshot that was ${before.state}`);
      const isLocked = before.pin !== undefined && before.pin > game.now;
      if (type === "remove") assert.ok(!isLocked && before.pin !== 0, "a pinned snapshot was removed");
      if (type === "unpin") assert.ok(!isLocked, "a locked snapshot was unpinned");
      if (type === "pin") assert.ok(!isLocked || until >= before.pin!, "a lock was shortened");
      snapshot.state = to;
      snapshot.pin = type === "remove" || type === "undelete" ? undefined : pin;
    },
    failed(code) {
      model.changes.delete(change);
      if (!isFree()) return allow(code, "not_found", "snapshot_pinned", "usage");
      const wasPinned = before.pin !== undefined && (before.pin === 0 || before.pin > startedAt);
      allow(
        code,
        before.state !== from && "not_found",
        wasPinned && "snapshot_pinned",
        type === "unpin" && before.pin === undefined && "usage",
      );
    },
    lost() {
      change.isLost = true;
    },
  });
}

async function retention(game: Game, random: Prng): Promise<void> {
  const { model } = game;
  const process = await game.process(random);
  const rules = { byDefault: { last: 1 + random.below(3) }, byPlan: new Map(), timeZone: "UTC" };
  const live = [...model.snapshots.values()].filter(({ state }) => state === "live" || state === "none");
  const changes = live.map(({ id, pin }) => expectChange(game, { snapshot: id, from: "live", to: "trash", pin }));
  const pinned = live.filter(({ pin, id }) => pin === 0 && model.isSettled(id));
  const settle = () => {
    for (const change of changes) model.changes.delete(change);
  };
  await game.start(process, "retention", () => applyRetention(process.vault.context, rules), {
    done(removed) {
      for (const { id } of pinned) assert.ok(!removed.includes(id), "retention removed a pinned snapshot");
      for (const id of removed) {
        const snapshot = model.snapshots.get(id)!;
        if (snapshot.state === "live") snapshot.state = "trash";
      }
      game.observe();
      settle();
    },
    failed: (code) => allow(code),
    lost() {
      for (const change of changes) change.isLost = true;
    },
  });
}

async function collect(game: Game, random: Prng): Promise<void> {
  const { model, stage } = game;
  const process = await game.process(random);
  const trashMs = [0, 30 * MINUTE, DAY][random.below(3)]!;
  const isBusy = stage.turns.isRunning("gc");
  const cancel = new AbortController();
  game.cancels.add(cancel);
  const options = {
    trashMs,
    maxDeadShare: random.below(2) === 0 ? 0.1 : 0.5,
    smallPackBytes: 700,
    targetPackBytes: 1500,
    signal: cancel.signal,
  };
  const changes: Change[] = [];
  const mayPurge = (id: SnapshotId): void => {
    changes.push(expectChange(game, { snapshot: id, from: "trash", to: "purged" }));
  };
  for (const id of model.snapshots.keys()) mayPurge(id);
  game.collections.add(mayPurge);
  const settle = () => {
    game.cancels.delete(cancel);
    game.collections.delete(mayPurge);
    game.observe();
    for (const change of changes) model.changes.delete(change);
  };
  const startedAt = game.now;
  const tooYoung = [...model.snapshots.values()].filter(
    ({ id, state, trashedAt }) => state === "trash" && trashedAt > startedAt - trashMs && model.isSettled(id),
  );
  for (const session of model.sessions)
    if (session.state === "open" && game.now > session.aliveUntil) session.state = "maybe";
  await game.start(process, "gc", () => process.admin.collectGarbage(options), {
    done(result) {
      settle();
      if (game.now === startedAt) {
        for (const { id } of tooYoung) assert.ok(!result.purgedSnapshots.includes(id), "purged before its time");
      }
      for (const id of result.purgedSnapshots) assert.equal(model.snapshots.get(id)!.state, "purged");
      assert.deepEqual(result.unexpected, []);
    },
    failed(code) {
      settle();
      allow(code, isBusy && "vault_busy", cancel.signal.aborted && "interrupted");
    },
    lost() {
      game.collections.delete(mayPurge);
      for (const change of changes) change.isLost = true;
      if (!isBusy) stage.staleLocks.add("gc");
    },
  });
}

async function scrub(game: Game, random: Prng): Promise<void> {
  const { model, stage } = game;
  const process = await game.process(random);
  const isBusy = stage.turns.isRunning("scrub");
  const cancel = new AbortController();
  game.cancels.add(cancel);
  const sample = random.below(2) === 0 ? 1 : 0.4;
  const run = () => process.admin.scrub({ sample, signal: cancel.signal });
  await game.start(process, "scrub", run, {
    done({ quarantined }) {
      game.observe();
      for (const blockNo of quarantined) {
        assert.ok(model.block(blockNo)?.damaged !== false, `block ${blockNo} is sound and was quarantined`);
      }
    },
    failed: (code) => allow(code, isBusy && "vault_busy", cancel.signal.aborted && "interrupted"),
    lost() {
      if (!isBusy) stage.staleLocks.add("scrub");
    },
  });
}

async function check(game: Game, random: Prng): Promise<void> {
  const { model, stage } = game;
  const process = await game.process(random);
  await game.start(process, "check", () => process.admin.check({ readData: random.below(2) === 0 }), {
    done({ problems }) {
      // A pack that came when a collection had ended its silent session lies there until the next one.
      const mayBeLeft =
        stage.crashes > 0 || model.sessions.some((it) => it.state !== "open" && it.record === undefined);
      const serious = problems.filter(({ code }) => code !== "unexpected" || !mayBeLeft);
      if (model.damages === 0) assert.deepEqual(serious, [], "nothing was damaged");
    },
    failed: (code) => allow(code),
    lost: () => undefined,
  });
}

async function cancel(game: Game, random: Prng): Promise<void> {
  pick(random, [...game.cancels])?.abort();
}

// What befalls a vault

/** A bit of a block flips, or a whole pack is lost. */
async function damage(game: Game, random: Prng): Promise<void> {
  const { model, stage } = game;
  if (model.damages >= MAX_DAMAGES) return;
  const database = stage.database();
  if (database === undefined) return;
  const rows = database.tuples<[string, string, number]>(
    "SELECT lower(hex(blockId)), lower(hex(packId)), offset FROM blocks b JOIN packs p ON p.pack = b.pack ORDER BY blockNo",
  );
  const [hash, packId, offset] = pick(random, rows) ?? [];
  if (hash === undefined) return;
  const key = packKey(packId as never);
  const isLost = random.below(4) === 0;
  model.spoil(isLost ? rows.filter((row) => row[1] === packId).map((row) => row[0]) : [hash]);
  const bytes = stage.disk.objects.get(key);
  if (bytes === undefined) return;
  if (isLost) {
    stage.disk.objects.delete(key);
    return;
  }
  const spoilt: Bytes = bytes.slice();
  spoilt[offset! + random.below(29)]! ^= 1 << random.below(8);
  stage.disk.objects.set(key, spoilt);
}

async function crash(game: Game, random: Prng): Promise<void> {
  const process = await game.process(random);
  process.breaker.breakAfter(1 + random.below(25));
}

async function kill(game: Game, random: Prng): Promise<void> {
  await game.stage.kill(random.below(2));
}

async function restart(game: Game, random: Prng): Promise<void> {
  await game.stage.close(random.below(2));
}

/** The index is made anew: from what it was, or with it lost. */
async function rebuild(game: Game, random: Prng): Promise<void> {
  const { model, stage } = game;
  const isLost = random.below(2) === 0;
  await stage.turns.drain();
  await stage.buryTheDead();
  // Opening takes the locks of the dead away.
  await stage.process(0);
  for (const slot of stage.processes.keys()) await stage.close(slot);
  if (isLost) {
    for (const suffix of ["-wal", "-shm"]) writeFileSync(stage.disk.indexPath + suffix, "");
    writeFileSync(stage.disk.indexPath, "lost");
  }
  const location = { store: memoryStore(stage.disk), indexPath: stage.disk.indexPath };
  try {
    await rebuildIndex(location, { clock: stage.clock });
  } catch (error) {
    assert.ok(isAppError(error), String(error));
    const mayBeBusy = !isLost && model.sessions.some(({ state }) => state !== "ended");
    allow(error.code, mayBeBusy && "vault_busy");
    return;
  }
  for (const session of model.sessions) {
    session.state = "ended";
    session.keeps.clear();
    session.holds.clear();
  }
  if (isLost) {
    // Numbers that no snapshot names and no pack has are given again: nobody can mean the old block by them.
    const named = new Set(model.visible().flatMap(({ content }) => [...content.values()]));
    for (const blockNo of model.numbers.keys()) if (!named.has(blockNo)) model.numbers.delete(blockNo);
    // Which blocks were known to be bad is lost too, and with it whose chunks were sent again.
    for (const block of model.blocks.values()) if (block.damaged) model.spoil([block.hash]);
  }
  const process = await stage.process(0);
  model.resolve(process.vault.context, stage.disk, game.now);
}

async function wait(game: Game, random: Prng): Promise<void> {
  game.stage.clock.advance(random.below(12) === 0 ? DAY : random.below(8) * MINUTE);
  game.noteReaping();
}

async function turns(game: Game, random: Prng): Promise<void> {
  await letThemRun(game, random, 40);
}

/** Some turns for whoever waits; the dead are buried as soon as they fall. */
export async function letThemRun(game: Game, random: Prng, most: number): Promise<void> {
  const { stage } = game;
  for (let left = random.below(most); left > 0; left--) {
    const isOneLeft = await stage.turns.turn(random.below(1000));
    await stage.buryTheDead();
    if (!isOneLeft) return;
  }
  const running = () => stage.processes.flatMap((process) => (process ? stage.turns.tasksOf(process.id) : []));
  while (running().length > MAX_TASKS && (await stage.turns.turn(random.below(1000)))) await stage.buryTheDead();
}

export type { SnapshotId };
