// `v3 send` as a person or a timer starts it, against the independent server.

import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { cli, cliError, cliJson, cliResult, newPlace, type Place } from "../cli/run-cli.ts";
import { peerMissing, startPeerServer } from "./peer.ts";

type Site = {
  readonly place: Place;
  readonly cwd: string;
  readonly address: string;
  readonly stored: (name: string) => string;
};

async function site(context: TestContext, args: readonly string[] = []): Promise<Site> {
  const place = newPlace();
  const { port } = await startPeerServer(context, ["--store", place.folder, ...args]);
  context.after(() => place.remove());
  return {
    place,
    cwd: join(place.folder, "cwd"),
    address: `127.0.0.1:${port}`,
    stored: (name) => readFileSync(join(place.folder, name), "utf8"),
  };
}

describe("v3 send", { skip: peerMissing }, () => {
  test("does what transfer.info in the working directory says, twice", async (t) => {
    const { place, cwd, address, stored } = await site(t);
    writeFileSync(join(cwd, "report.txt"), "report\n");
    writeFileSync(join(cwd, "transfer.info"), `${address}\r\nann lee\r\nreport.txt\r\n`);
    const first = await cliResult(place, "v3 send");
    assert.deepEqual([first.registered, first.user, first.server], [true, "ann lee", address]);
    assert.deepEqual(
      first.files.map(({ name, bytes, tries }) => [name, bytes, tries]),
      [["report.txt", 7, 1]],
    );
    assert.equal(stored("report.txt"), "report\n");
    assert.equal(statSync(join(cwd, "me.info")).mode & 0o777, 0o600);

    writeFileSync(join(cwd, "report.txt"), "changed\n");
    const { text } = await cli(place, ["v3", "send"]);
    assert.match(text, /^report\.txt {2}8 B {2}checksum \d+\n1 file confirmed by 127\.0\.0\.1:\d+, in /);
    assert.equal(stored("report.txt"), "changed\n");
  });

  test("takes its files from anywhere, with a path that is meant from where transfer.info lies", async (t) => {
    const { place, address, stored } = await site(t);
    writeFileSync(join(place.folder, "transfer.info"), `${address}\nann\nlocal.txt\n`);
    writeFileSync(join(place.folder, "local.txt"), "local\n");
    const [info, me] = [join(place.folder, "transfer.info"), join(place.folder, "ids", "me.info")];
    await cli(place, ["v3", "send", "--transfer-info", info, "--me", me]);
    assert.equal(stored("local.txt"), "local\n");
    assert.deepEqual(readFileSync(me, "utf8").split("\n")[0], "ann");
    assert.ok(statSync(join(place.folder, "ids", "priv.key")).size > 600);
  });

  test("goes by options alone, shows progress documents, and says which files failed", async (t) => {
    const { place, cwd, address, stored } = await site(t);
    writeFileSync(join(cwd, "one"), "1");
    writeFileSync(join(cwd, "two"), "2");
    const args = ["v3", "send", "--server", address, "--name", "ann", "one", "none", "two"];
    const documents = await cliJson(place, args, { exit: 3 });
    assert.equal(documents[0]!.type, "progress");
    const last = documents.at(-1)!;
    assert.ok(last.type === "summary" && last.command === "v3 send");
    assert.deepEqual(
      [last.files.map(({ name }) => name), last.problems.map(({ path, code }) => `${path} ${code}`), last.exit],
      [["one", "two"], ["none io"], 3],
    );
    assert.deepEqual([stored("one"), stored("two")], ["1", "2"]);
  });

  test("an existing me.info is replaced as a whole and becomes private", async (t) => {
    const { place, cwd, address } = await site(t);
    writeFileSync(join(cwd, "a"), "a");
    await cli(place, ["v3", "send", "--server", address, "--name", "ann", "a"]);
    const other = await site(t);
    const me = join(cwd, "me.info");
    writeFileSync(join(other.cwd, "a"), "a");
    for (const name of ["me.info", "priv.key"]) {
      writeFileSync(join(other.cwd, name), readFileSync(join(cwd, name)), { mode: 0o644 });
    }
    const before = statSync(join(other.cwd, "me.info"));
    await cli(other.place, ["v3", "send", "--server", other.address, "--name", "ann", "a"]);
    const after = statSync(join(other.cwd, "me.info"));
    assert.notEqual(after.ino, before.ino);
    assert.equal(after.mode & 0o777, 0o600);
    assert.notEqual(readFileSync(join(other.cwd, "me.info"), "utf8"), readFileSync(me, "utf8"));
  });

  test("ends with the exit codes of the table", async (t) => {
    const { place, cwd, address } = await site(t, ["--wrong-checksum", "3"]);
    writeFileSync(join(cwd, "a"), "a");
    const send = (...args: string[]) => ["v3", "send", "--server", address, "--name", "ann", ...args];
    assert.equal((await cliError(place, send("a"), { exit: 1 })).code, "v3_checksum");
    assert.equal((await cliError(place, send("none"), { exit: 1 })).code, "io");
    assert.equal((await cliError(place, [...send("a"), "--me", "other"], { exit: 1 })).code, "v3_name_taken");
    assert.equal((await cliError(place, ["v3", "send"], { exit: 1 })).code, "io");
    assert.equal((await cliError(place, ["v3", "send", "a"], { exit: 2 })).code, "usage");
    assert.equal(
      (await cliError(place, ["v3", "send", "--server", "x y", "--name", "n", "a"], { exit: 2 })).code,
      "usage",
    );
    writeFileSync(join(cwd, "transfer.info"), "nonsense\n");
    assert.equal((await cliError(place, ["v3", "send"], { exit: 2 })).code, "v3_file_invalid");
  });
});
