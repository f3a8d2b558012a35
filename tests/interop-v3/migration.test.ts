// The move of a small site as docs/migration.md describes it, with the independent programs as its old server and old clients.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { cksum } from "../../src/core/checksum.ts";
import { publicKeyOf } from "../../src/gateway/legacy-crypto.ts";
import { parseMeInfo } from "../../src/gateway/old-files.ts";
import { cli, cliResult, ended, newPlace, start } from "../cli/run-cli.ts";
import { peerMissing, runPeerClient, startPeerServer } from "./peer.ts";

const place = newPlace();
const old = join(place.folder, "cb3");
const received = join(old, "received_files");
const recovery = join(place.folder, "recovery.txt");
const IDENTITY = ["--identity-file", recovery];
const running: ChildProcess[] = [];
after(async () => {
  for (const child of running) child.kill("SIGKILL");
  place.remove();
});

/** An old client: a folder with its files, and what it sends. */
function sendAs(server: { readonly port: number }, name: string, file: string, content: string, exit = 0) {
  const folder = join(place.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), content);
  return runPeerClient(server, ["--name", name, "--identity", folder, join(folder, file)], { exit });
}

/** What the old server would have written down of its clients and files. */
function writeOldDatabase(users: readonly string[], files: Readonly<Record<string, string>>): void {
  const database = new DatabaseSync(join(old, "defensive.db"));
  database.exec("CREATE TABLE clients (ID BLOB, Name TEXT, PublicKey BLOB, LastSeen TEXT, AESKey BLOB)");
  database.exec(
    "CREATE TABLE files (ID BLOB, FileName TEXT, PathName TEXT, Verified INT, FileSize INT, ModificationDate TEXT, CRC INT, ClientID BLOB)",
  );
  for (const name of users) {
    const me = parseMeInfo(readFileSync(join(place.folder, name, "me.info")), "me.info");
    const id = Buffer.from(me.client, "hex");
    const spki = publicKeyOf(me.privateKey);
    database.prepare("INSERT INTO clients VALUES (?, ?, ?, '2024-01-02T03:04:05+00:00Z', ?)").run(id, name, spki, id);
    const content = readFileSync(join(received, files[name]!));
    database
      .prepare("INSERT INTO files VALUES (?, ?, '', 1, ?, '2024-01-02T03:04:05', ?, ?)")
      .run(id, files[name]!, content.length, cksum(content), id);
  }
  database.close();
}

async function startGateway(args: readonly string[]): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const child = start(place, ["gateway", "--listen", "127.0.0.1:0", "--json", ...args]);
  running.push(child);
  child.stdin!.end();
  const done = ended(child);
  const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  const first = JSON.parse((await lines.next()).value ?? "{}") as { type?: string; port?: number };
  assert.equal(first.type, "started", JSON.stringify(first));
  return {
    port: first.port!,
    async stop() {
      child.kill("SIGINT");
      assert.equal((await done).exit, 0);
    },
  };
}

describe("moving a site from CyberBackup 3", { skip: peerMissing }, () => {
  test("server first, then the machines, and every step can be checked and taken back", async (t) => {
    mkdirSync(received, { recursive: true });
    const server = await startPeerServer(t, ["--store", received]);
    await sendAs(server, "ann", "letter.txt", "Dear Bob,\n");
    await sendAs(server, "bob", "report.txt", "All is well.\n");

    // 1. A vault.
    const made = await cliResult(place, "init");
    writeFileSync(recovery, `${made.recoveryKey}\n`);

    // 2. What the old server has.
    writeOldDatabase(["ann", "bob"], { ann: "letter.txt", bob: "report.txt" });
    assert.equal((await cliResult(place, "v3 import", [old, "--dry-run"])).imported, 2);
    const taken = await cliResult(place, "v3 import", [old]);
    assert.deepEqual([taken.imported, taken.proven], [2, 2]);
    assert.equal((await cliResult(place, "v3 import", [old])).present, 2);

    // 3. The gateway in its place: the old clients reconnect with the ids that they have.
    await server.end();
    assert.equal((await cliResult(place, "gateway import", [join(old, "defensive.db")])).imported, 2);
    const gateway = await startGateway([]);
    const events = await sendAs(gateway, "ann", "second.txt", "Dear Bob, again,\n");
    assert.deepEqual(
      events.map(({ event }) => event),
      ["reconnected", "receipt", "answered"],
    );
    await gateway.stop();
    const { snapshots } = await cliResult(place, "snapshots", ["--tag", "ann", ...IDENTITY]);
    assert.deepEqual(
      snapshots.map(({ host, paths }) => `${host} ${paths}`),
      ["ann /letter.txt", "ann /second.txt"],
    );
    const latest = await cli(place, ["cat", "latest@ann/second.txt", "/second.txt", ...IDENTITY]);
    assert.equal(latest.text, "Dear Bob, again,\n");

    // 4. Ann's machine moves; her old name is refused, Bob's goes on.
    const documents = join(place.folder, "documents");
    mkdirSync(documents);
    writeFileSync(join(documents, "third.txt"), "Dear Bob, once more,\n");
    const writer = join(place.folder, "writer.txt");
    writeFileSync(writer, (await cliResult(place, "writer export", ["--name", "ann-laptop"])).writer);
    await cli(place, ["backup", documents, "--writer-file", writer, "--plan", "ann-documents"]);
    const narrowed = await startGateway(["--retire", "ann=2020-01-01"]);
    const refused = await sendAs(narrowed, "ann", "fourth.txt", "not taken", 1);
    assert.ok(!refused.some(({ event }) => event === "receipt"), JSON.stringify(refused));
    await sendAs(narrowed, "bob", "more.txt", "taken");

    // The other way round, and by the same files: our client in Bob's folder.
    const cwd = join(place.folder, "bob");
    const info = join(cwd, "transfer.info");
    writeFileSync(info, `127.0.0.1:${narrowed.port}\nbob\nreport.txt\n`);
    const sent = await cliResult(place, "v3 send", ["--transfer-info", info, "--me", join(cwd, "me.info")]);
    assert.deepEqual([sent.registered, sent.files[0]?.name], [false, "report.txt"]);
    await narrowed.stop();

    // 5. The gateway is off. Everything can still be read.
    await cli(place, ["verify", "--read-data", ...IDENTITY]);
    const all = await cliResult(place, "snapshots", IDENTITY);
    assert.equal(all.snapshots.length, 6);
  });
});
