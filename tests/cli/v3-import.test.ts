// An old server's folder and database, taken into a vault by the command line, in several runs.

import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { cksum } from "../../src/core/checksum.ts";
import { until } from "../until.ts";
import { cli, cliError, cliResult, ended, newPlace, start } from "./run-cli.ts";

const place = newPlace();
after(() => place.remove());
const old = join(place.folder, "old");
const received = join(old, "received_files");
const identityFile = join(place.folder, "recovery.txt");
const IDENTITY = ["--identity-file", identityFile];

const ALICE = Buffer.alloc(16, 0xa1);
const BOB = Buffer.alloc(16, 0xb0);
const STORED_AT = Date.UTC(2023, 4, 6, 7, 8, 9);

type Row = { name: string; client: Buffer; content?: string; crc?: number | null; at?: string | null };

const FILES: Row[] = [
  { name: "report.txt", client: ALICE, content: "report\n", at: "2022-01-02T03:04:05" },
  { name: "empty.bin", client: ALICE, content: "" },
  { name: "no-sum.txt", client: BOB, content: "never checked", crc: null },
  { name: "damaged.txt", client: BOB, content: "one bit is other", crc: 12345 },
  // Both sent a file of this name; Bob's took the place of Alice's.
  { name: "shared.txt", client: ALICE, content: "Alice's, gone", crc: cksum(Buffer.from("Alice's, gone")) },
  { name: "shared.txt", client: BOB, content: "Bob's, larger" },
  { name: "lost.txt", client: BOB, crc: 1 },
];

function addRow(database: DatabaseSync, { name, client, content, crc, at }: Row): void {
  const sum = crc === undefined ? cksum(Buffer.from(content ?? "")) : crc;
  database
    .prepare("INSERT INTO files VALUES (?, ?, ?, 1, ?, ?, ?, ?)")
    .run(Buffer.alloc(16), name, `received_files/${name}`, content?.length ?? 1, at ?? null, sum, client);
}

function put(name: string, content: string, atMs = STORED_AT): void {
  writeFileSync(join(received, name), content);
  utimesSync(join(received, name), atMs / 1000, atMs / 1000);
}

/** Names, contents and times of everything that is old. */
function stateOfOld(): string[] {
  return readdirSync(old, { recursive: true, encoding: "utf8" }).map((name) => {
    const stat = lstatSync(join(old, name));
    return `${name} ${stat.mtimeMs} ${stat.isFile() ? cksum(readFileSync(join(old, name))) : ""}`;
  });
}

before(async () => {
  mkdirSync(received, { recursive: true });
  const database = new DatabaseSync(join(old, "defensive.db"));
  database.exec("CREATE TABLE clients (ID BLOB, Name TEXT, PublicKey BLOB, LastSeen TEXT, AESKey BLOB)");
  database.exec(
    "CREATE TABLE files (ID BLOB, FileName TEXT, PathName TEXT, Verified INT, FileSize INT, ModificationDate TEXT, CRC INT, ClientID BLOB)",
  );
  for (const [id, name] of [
    [ALICE, "alice"],
    [BOB, "bob"],
  ] as const) {
    database.prepare("INSERT INTO clients VALUES (?, ?, NULL, NULL, NULL)").run(id, name);
  }
  for (const row of FILES) {
    addRow(database, row);
    if (row.content !== undefined) put(row.name, row.content);
  }
  database.close();
  put("stray.txt", "nobody's");
  const made = await cliResult(place, "init");
  writeFileSync(identityFile, `${made.recoveryKey}\n`);
});

/** What of the vault is imported: user, file, tags. */
async function listed() {
  const { snapshots } = await cliResult(place, "snapshots", IDENTITY);
  return snapshots.map(({ plan, host, paths, tags, startedAt, endedAt, id }) => {
    assert.equal(plan, `${host}${paths!.join()}`);
    assert.ok(tags!.includes(host!));
    assert.equal(startedAt, endedAt);
    return { what: `${host} ${paths!.join()}`, tags: tags!.length, startedAt, id };
  });
}

describe("v3 import", () => {
  test("a dry run says what there is and stores nothing", async () => {
    const report = await cliResult(place, "v3 import", [old, "--dry-run"], { exit: 3 });
    assert.deepEqual([report.dryRun, report.files, report.present], [true, 7, 0]);
    assert.deepEqual(await listed(), []);
  });

  test("takes what the checksums prove, with the old times, and leaves the old data as it was", async () => {
    const before = stateOfOld();
    const report = await cliResult(place, "v3 import", [old], { exit: 3 });
    assert.deepEqual(stateOfOld(), before);
    assert.deepEqual([report.imported, report.proven, report.present], [5, 3, 0]);
    assert.deepEqual(
      report.problems.map(({ path, code }) => `${path.split("/").at(-1)} ${code}`),
      ["lost.txt ENOENT", "damaged.txt v3_checksum", "shared.txt v3_checksum"],
    );
    assert.deepEqual((await listed()).map(({ what, startedAt }) => `${what} ${startedAt}`).sort(), [
      "alice /empty.bin 2023-05-06T07:08:09.000Z",
      "alice /report.txt 2022-01-02T03:04:05.000Z",
      "bob /no-sum.txt 2023-05-06T07:08:09.000Z",
      "bob /shared.txt 2023-05-06T07:08:09.000Z",
      "received_files /stray.txt 2023-05-06T07:08:09.000Z",
    ]);
  });

  test("what was taken reads back with its content and time", async () => {
    const { id } = (await listed()).find(({ what }) => what === "bob /shared.txt")!;
    assert.equal((await cli(place, ["cat", id, "/shared.txt", ...IDENTITY])).text, "Bob's, larger");
    const target = join(place.folder, "back");
    await cli(place, ["restore", id, "--target", target, ...IDENTITY]);
    assert.equal(lstatSync(join(target, "shared.txt")).mtimeMs, STORED_AT);
    await cli(place, ["verify", "--read-data", ...IDENTITY]);
  });

  test("again it sends nothing and makes no second snapshot, but takes what is new or changed", async () => {
    const again = await cliResult(place, "v3 import", [old], { exit: 3 });
    assert.deepEqual([again.imported, again.present, again.addedBytes], [0, 5, 0]);
    put("stray.txt", "changed!", STORED_AT + 1000);
    put("new.txt", "new");
    const more = await cliResult(place, "v3 import", [old], { exit: 3 });
    assert.deepEqual([more.imported, more.present], [2, 4]);
    assert.equal((await listed()).length, 7);
  });

  test("what was moved to the trash is not brought back", async () => {
    const { id } = (await listed()).find(({ what }) => what === "alice /empty.bin")!;
    await cli(place, ["forget", id, ...IDENTITY]);
    assert.equal((await cliResult(place, "v3 import", [old], { exit: 3 })).imported, 0);
  });

  test("--take-unproven takes the doubtful ones too, and marks them", async () => {
    const before = new Set((await listed()).map(({ id }) => id));
    const report = await cliResult(place, "v3 import", [old, "--take-unproven"], { exit: 3 });
    assert.deepEqual([report.imported, report.proven], [2, 0]);
    const added = (await listed()).filter(({ id }) => !before.has(id));
    assert.deepEqual(added.map(({ what, tags }) => [what, tags]).sort(), [
      ["alice /shared.txt", 5],
      ["bob /damaged.txt", 5],
    ]);
    assert.equal((await cliResult(place, "v3 import", [old, "--take-unproven"], { exit: 3 })).imported, 0);
  });

  test("links and folders among the files are named, not followed", async () => {
    symlinkSync("/etc/hostname", join(received, "link"));
    mkdirSync(join(received, "folder"));
    const { problems } = await cliResult(place, "v3 import", [old], { exit: 3 });
    rmSync(join(received, "link"));
    rmSync(join(received, "folder"), { recursive: true });
    const codes = problems.map(({ path, code }) => `${path.split("/").at(-1)} ${code}`);
    assert.ok(codes.includes("link ENOTSUP") && codes.includes("folder ENOTSUP"), codes.join());
  });

  test("a folder without a database goes to one plan", async () => {
    const bare = join(place.folder, "bare");
    mkdirSync(bare);
    writeFileSync(join(bare, "a"), "a");
    const report = await cliResult(place, "v3 import", [bare]);
    assert.deepEqual([report.imported, report.proven, report.database], [1, 0, undefined]);
    assert.ok((await listed()).some(({ what }) => what === "received_files /a"));
  });

  test("a run that is interrupted goes on where it stopped", async () => {
    const many = join(place.folder, "many");
    mkdirSync(many);
    for (let i = 0; i < 30; i++) writeFileSync(join(many, `f${i}`), `content ${i}`);
    // Comes last, and takes longer than any signal.
    const last = join(many, "z");
    writeFileSync(last, "");
    truncateSync(last, 2 ** 31);
    const before = (await listed()).length;
    const child = start(place, ["v3", "import", many, "--json"]);
    child.stdin!.end();
    const packs = join(place.vault, "snapshots");
    const count = () => readdirSync(packs, { recursive: true }).length;
    const atFirst = count();
    await until("three are stored", () => count() >= atFirst + 3 || child.exitCode !== null);
    child.kill("SIGINT");
    const { exit } = await ended(child);
    assert.equal(exit, 130);
    const taken = (await listed()).length - before;
    assert.ok(taken >= 3 && taken <= 30, `${taken} were taken`);
    truncateSync(last, 1);
    const { imported, present } = await cliResult(place, "v3 import", [many]);
    assert.deepEqual([imported, present], [31 - taken, taken]);
    assert.equal((await listed()).length - before, 31);
  });

  test("a folder or database that is not there is an error", async () => {
    assert.equal((await cliError(place, ["v3", "import", join(place.folder, "none")], { exit: 1 })).code, "io");
    const wrong = ["v3", "import", old, "--database", identityFile];
    assert.equal((await cliError(place, wrong, { exit: 2 })).code, "v3_file_invalid");
  });
});
