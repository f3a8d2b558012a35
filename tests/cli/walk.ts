// One walk through every command, as a person would use them, each answer checked against its schema: on a vault in a folder
// (walk.test.ts) and on one behind a server (tests/remote/walk.test.ts).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cli, cliError, cliJson, cliResult, type Place } from "./run-cli.ts";

export type WalkSite = {
  readonly place: Place;
  /** Before `init`. */
  prepare(): Promise<void>;
  remove(): Promise<void>;
  /** Takes the vault's index away, as a broken disk would. */
  loseIndex(): Promise<void>;
  /** Exit code for a machine that nothing is known of. */
  readonly strangerExit: number;
  /** Variables by which a further machine may administer the vault. */
  account(): Promise<Readonly<Record<string, string>>>;
};

export function walk(site: WalkSite): void {
  const { place } = site;
  const source = join(place.folder, "source");
  const identityFile = join(place.folder, "recovery.txt");
  /** Reads without scrypt, so that the walk is quick. */
  const IDENTITY = ["--identity-file", identityFile];
  const NO_PASSPHRASE = { env: { CYBERBACKUP_PASSPHRASE: undefined } };
  let first = "";
  let second = "";

  before(async () => {
    await site.prepare();
    mkdirSync(join(source, "letters"), { recursive: true });
    writeFileSync(join(source, "a.txt"), "one\n");
    writeFileSync(join(source, "letters", "ann.txt"), "Dear Ann,\n");
    writeFileSync(join(source, "letters", "new\nline.txt"), "odd\n");
    symlinkSync("a.txt", join(source, "link"));
    const made = await cliResult(place, "init", ["--device-name", "tester"]);
    assert.match(made.recoveryKey, /^AGE-SECRET-KEY-/);
    assert.equal(made.deviceName, "tester");
    writeFileSync(identityFile, `${made.recoveryKey}\n`);
  });

  after(() => site.remove());

  describe("backing up", () => {
    test("a dry run stores nothing", async () => {
      const report = await cliResult(place, "backup", [source, "--dry-run"], NO_PASSPHRASE);
      assert.equal(report.snapshot, undefined);
      assert.equal(report.newFiles, 3);
    });

    test("the first run stores everything, without a passphrase", async () => {
      const documents = await cliJson(
        place,
        ["backup", source, "--plan", "home", "--tag", "x", "--tag", "y"],
        NO_PASSPHRASE,
      );
      const report = documents.at(-1)!;
      assert.ok(report.type === "summary" && report.command === "backup");
      assert.equal(documents[0]!.type, "progress");
      assert.deepEqual([report.files, report.newFiles, report.others, report.problemCount], [3, 3, 1, 0]);
      first = report.snapshot!;
    });

    test("the second one stores what changed", async () => {
      appendFileSync(join(source, "a.txt"), "two\n");
      writeFileSync(join(source, "big.tmp"), "x".repeat(5000));
      mkdirSync(join(source, "cache"));
      writeFileSync(join(source, "cache", "CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n");
      writeFileSync(join(source, "cache", "junk"), "junk\n");
      writeFileSync(join(source, "secret.key"), "key\n");
      writeFileSync(join(place.folder, "patterns"), "secret.*\n");
      const report = await cliResult(place, "backup", [
        ...[source, "--plan", "home", "--exclude-larger-than", "4k", "--exclude-caches", "--exclude", "nothing"],
        ...["--exclude-file", join(place.folder, "patterns"), "--compression", "better", "--one-file-system"],
      ]);
      // CACHEDIR.TAG itself is kept: a restore should know what it was.
      assert.deepEqual([report.files, report.newFiles, report.changedFiles], [4, 1, 1]);
      second = report.snapshot!;
    });

    test("standard input and commands become files", async () => {
      const piped = await cliResult(place, "backup", ["--stdin", "--stdin-filename", "db.sql", "--plan", "db"], {
        input: "select 1;\n",
      });
      assert.equal(piped.bytes, 10);
      const { stdout } = await cli(place, ["cat", "latest@db", "/db.sql", ...IDENTITY]);
      assert.equal(stdout.toString(), "select 1;\n");
      const command = [
        "--from-command",
        "--stdin-filename",
        "out",
        "--plan",
        "cmd",
        "--",
        process.execPath,
        "-p",
        "6*7",
      ];
      // The flag must stand before the command's own words.
      await cli(place, ["backup", "--json", ...command]);
      assert.equal((await cli(place, ["cat", "latest@cmd", "/out", ...IDENTITY])).text, "42\n");
    });

    test("a command that fails leaves no snapshot", async () => {
      await cli(place, ["backup", "--from-command", "--plan", "cmd", "--", process.execPath, "-e", "process.exit(3)"], {
        exit: 1,
      });
      const { snapshots } = await cliResult(place, "snapshots", ["--plan", "cmd", ...IDENTITY]);
      assert.equal(snapshots.length, 1);
    });

    test("a writer file backs up from anywhere and reads nothing", async () => {
      const { writer } = await cliResult(place, "writer export", ["--name", "server"], NO_PASSPHRASE);
      const file = join(place.folder, "w.txt");
      writeFileSync(file, writer);
      const elsewhere = {
        env: { CYBERBACKUP_PASSPHRASE: undefined, CYBERBACKUP_HOME: join(place.folder, "other-home") },
      };
      await cliResult(place, "backup", [source, "--plan", "away", "--writer-file", file], elsewhere);
      await cliError(place, ["snapshots"], { ...elsewhere, exit: site.strangerExit });
    });
  });

  describe("looking", () => {
    test("snapshots", async () => {
      const { snapshots } = await cliResult(place, "snapshots", ["--plan", "home", ...IDENTITY]);
      assert.deepEqual(
        snapshots.map(({ id }) => id),
        [first, second],
      );
      assert.deepEqual(snapshots[0]!.tags, ["x", "y"]);
      assert.deepEqual(snapshots[0]!.paths, [source]);
      const tagged = await cliResult(place, "snapshots", ["--tag", "y", ...IDENTITY]);
      assert.deepEqual(
        tagged.snapshots.map(({ id }) => id),
        [first],
      );
    });

    test("ls, plain and long, escapes what a terminal must not see", async () => {
      const { text } = await cli(place, ["ls", "latest:2@home", join(source, "letters"), ...IDENTITY]);
      assert.deepEqual(text.trimEnd().split("\n"), [
        `${source}/letters/ann.txt`,
        `${source}/letters/new\\u{a}line.txt`,
      ]);
      const long = await cli(place, ["ls", "-l", first.slice(0, 10), source, ...IDENTITY]);
      assert.match(long.text, /^-rw\S+ {2}.*4 B .*a\.txt$/m);
      assert.match(long.text, /link -> a\.txt$/m);
      const documents = await cliJson(place, ["ls", "latest@home", "-r", ...IDENTITY]);
      assert.ok(documents.some((entry) => entry.type === "entry" && entry.path === `${source}/letters/new\nline.txt`));
    });

    test("find, versions, diff, cat, stats", async () => {
      const found = await cliJson(place, ["find", "*.txt", "--all", ...IDENTITY]);
      const ending = found.at(-1)!;
      assert.ok(ending.type === "summary" && ending.command === "find" && ending.entries >= 6);
      const { versions } = await cliResult(place, "versions", [join(source, "a.txt"), ...IDENTITY]);
      assert.deepEqual(
        versions.map(({ entry }) => entry.size),
        [4, 8],
      );
      const changes = await cliJson(place, ["diff", first, second, "--metadata", ...IDENTITY]);
      const ofFile = changes.find((change) => change.type === "change" && change.path.endsWith("/a.txt"));
      assert.ok(ofFile?.type === "change" && ofFile.change === "modified");
      assert.equal((await cli(place, ["cat", first, join(source, "a.txt"), ...IDENTITY])).text, "one\n");
      const stats = await cliResult(place, "stats", IDENTITY);
      assert.ok(stats.snapshots === 5 && stats.storedBytes! > 0 && stats.damagedBlocks === 0);
      const one = await cliResult(place, "stats", [first, ...IDENTITY]);
      assert.deepEqual([one.snapshot, one.files, one.links], [first, 3, 1]);
    });

    test("dump writes archives that tar and zip readers open", async () => {
      const tar = await cli(place, ["dump", first, source, ...IDENTITY]);
      writeFileSync(join(place.folder, "d.tar"), tar.stdout);
      const out = join(place.folder, "untarred");
      mkdirSync(out);
      const untar = spawnSync("tar", ["-xf", join(place.folder, "d.tar"), "-C", out], { encoding: "utf8" });
      assert.deepEqual([untar.status, untar.stderr], [0, ""]);
      assert.equal(readFileSync(join(out, "source", "a.txt"), "utf8"), "one\n");
      assert.equal(readlinkSync(join(out, "source", "link")), "a.txt");
      const letter = join("letters", "ann.txt");
      assert.equal(
        lstatSync(join(out, "source", letter), { bigint: true }).mtimeNs,
        lstatSync(join(source, letter), { bigint: true }).mtimeNs,
      );
      // A link is nothing that zip can hold: the run says so, and exits as partial.
      const zip = await cli(place, ["dump", first, source, "--format", "zip", ...IDENTITY], { exit: 3 });
      assert.match(zip.stderr, /link is nothing that zip can hold/);
      assert.deepEqual([zip.stdout.subarray(0, 4).toString("latin1")], ["PK\x03\x04"]);
      assert.ok(zip.stdout.includes("source/letters/ann.txt") && zip.stdout.includes("Dear Ann,\n"));
      await cli(place, ["dump", first, "/", "--format", "rar"], { exit: 2 });
    });

    test("restore brings back the bytes, and in place only what differs", async () => {
      const target = join(place.folder, "back");
      const all = await cliResult(place, "restore", [second, "--target", target, "--verify", ...IDENTITY]);
      assert.equal(all.files, 4);
      assert.equal(readFileSync(join(target, source, "a.txt"), "utf8"), "one\ntwo\n");
      assert.equal(readFileSync(join(target, source, "letters", "new\nline.txt"), "utf8"), "odd\n");
      assert.ok(!existsSync(join(target, source, "secret.key")));
      writeFileSync(join(target, source, "letters", "ann.txt"), "Dear Bob,\n");
      writeFileSync(join(target, source, "letters", "extra"), "extra");
      const again = await cliResult(place, "restore", [
        ...["latest@home", "--target", target, "--path", join(source, "letters"), "--delete", ...IDENTITY],
      ]);
      assert.equal(again.deleted, 1);
      assert.equal(readFileSync(join(target, source, "letters", "ann.txt"), "utf8"), "Dear Ann,\n");
      const one = join(place.folder, "one");
      await cliResult(place, "restore", [
        `${first}:${source}/letters`,
        "--target",
        one,
        "--include",
        "ann*",
        ...IDENTITY,
      ]);
      assert.deepEqual(readdirSync(one), ["ann.txt"]);
      const dry = join(place.folder, "dry");
      await cliResult(place, "restore", [first, "--target", dry, "--dry-run", ...IDENTITY]);
      assert.ok(!existsSync(dry));
    });
  });

  describe("keeping and forgetting", () => {
    test("forget refuses to keep nothing, shows a plan, and is undone by undelete", async () => {
      await cliError(place, ["forget"], { exit: 2 });
      const dry = await cliResult(place, "forget", ["--keep-last", "1", "--plan", "home", "--dry-run"], NO_PASSPHRASE);
      assert.deepEqual([dry.kept.map(({ id }) => id), dry.removed.map(({ id }) => id)], [[second], [first]]);
      assert.deepEqual(dry.kept[0]!.reasons, ["last"]);
      const tagged = await cliResult(place, "forget", ["--keep-tag", "x", "--plan", "home", "--dry-run"]);
      assert.deepEqual(
        tagged.kept.map(({ id }) => id),
        [first],
      );
      await cliResult(place, "forget", ["--keep-last", "1", "--plan", "home"], NO_PASSPHRASE);
      const { snapshots } = await cliResult(place, "snapshots", ["--trash", "--plan", "home", ...IDENTITY]);
      assert.deepEqual(
        snapshots.map(({ state }) => state),
        ["trash", "live"],
      );
      const back = await cliResult(place, "undelete", [first.slice(0, 8)], NO_PASSPHRASE);
      assert.deepEqual(back.snapshots, [first]);
    });

    test("a pinned snapshot stays", async () => {
      await cliResult(place, "pin", [first]);
      const { kept } = await cliResult(place, "forget", ["--keep-last", "1", "--plan", "home", "--dry-run"]);
      assert.deepEqual(
        kept.map(({ reasons }) => reasons),
        [["last"], ["pinned"]],
      );
      await cliError(place, ["forget", first], { exit: 1 });
      await cliResult(place, "unpin", [first]);
      const { until } = await cliResult(place, "pin", [second, "--until", "2d"]);
      assert.ok(Date.parse(until!) > 0);
      await cliError(place, ["unpin", second], { exit: 1 });
    });

    test("prune shows its plan, then frees what nothing needs", async () => {
      await cliResult(place, "forget", [first]);
      const early = await cliResult(place, "prune", []);
      assert.equal(early.purged, 0);
      const plan = await cliResult(place, "prune", ["--trash-days", "0", "--dry-run"]);
      assert.equal(plan.purged, 1);
      const done = await cliResult(place, "prune", ["--trash-days", "0"]);
      assert.equal(done.purged, 1);
      await cliError(place, ["undelete", first], { exit: 1 });
      assert.ok((await cliResult(place, "verify", ["--read-data", ...IDENTITY])).ok);
    });
  });

  describe("taking care", () => {
    test("verify, scrub, log and doctor find nothing wrong", async () => {
      assert.ok((await cliResult(place, "verify", ["--keyless"], NO_PASSPHRASE)).keyless);
      assert.equal((await cliResult(place, "verify", ["--sample", "50%", ...IDENTITY])).sample, 0.5);
      assert.equal((await cliResult(place, "scrub", [], NO_PASSPHRASE)).problemCount, 0);
      const { entries } = await cliResult(place, "log", [], NO_PASSPHRASE);
      assert.equal(entries[0]!.event, "genesis");
      assert.ok(entries.some(({ event, deviceName }) => event === "remove" && deviceName === "tester"));
      const { ok, findings } = await cliResult(place, "doctor", [], NO_PASSPHRASE);
      assert.ok(ok && findings.length > 8);
    });

    test("rebuild makes a lost index anew", async () => {
      const listing = await cliResult(place, "snapshots", IDENTITY);
      await site.loseIndex();
      await cliError(place, ["snapshots", ...IDENTITY], { exit: 13 });
      const { problemCount } = await cliResult(place, "rebuild", [], NO_PASSPHRASE);
      assert.equal(problemCount, 0);
      assert.deepEqual(await cliResult(place, "snapshots", IDENTITY), listing);
    });
  });

  describe("keys and machines", () => {
    test("a second passphrase and a second recovery key open the vault; removed ones do not", async () => {
      const file = join(place.folder, "p2.txt");
      writeFileSync(file, "another passphrase\n");
      const added = await cliResult(place, "key add", ["--new-passphrase-file", file, "--label", "Bob", ...IDENTITY]);
      assert.equal(added.label, "Bob");
      await cliResult(place, "snapshots", ["--passphrase-file", file]);
      const { recoveryKey } = await cliResult(place, "key add", ["--recovery", ...IDENTITY]);
      const other = join(place.folder, "r2.txt");
      writeFileSync(other, recoveryKey!);
      await cliResult(place, "snapshots", ["--identity-file", other], NO_PASSPHRASE);
      const { keyslots } = await cliResult(place, "key list", [], NO_PASSPHRASE);
      assert.deepEqual(keyslots.map(({ kind }) => kind).toSorted(), [
        "passphrase",
        "passphrase",
        "recovery",
        "recovery",
      ]);
      await cliResult(place, "key remove", [added.id.slice(0, 10)]);
      await cliError(place, ["snapshots", "--passphrase-file", file], { exit: 12 });
      await cliError(place, ["key", "add", "--recipient", "age1nonsense", ...IDENTITY], { exit: 12 });
    });

    test("a further machine is enrolled, and revoked", async () => {
      const env = { CYBERBACKUP_HOME: join(place.folder, "third-home"), ...(await site.account()) };
      await cliError(place, ["backup", source], { env, exit: 16 });
      const { id } = await cliResult(place, "device add", ["--name", "laptop", ...IDENTITY], { env });
      await cliResult(place, "backup", [source], { env });
      await cliError(place, ["device", "trust", "laptop"], { exit: 2 });
      await cliError(place, ["device", "trust", "laptop", "--apart", "--together"], { exit: 2 });
      assert.equal((await cliResult(place, "device trust", ["laptop", "--apart"])).group, null);
      assert.equal((await cliResult(place, "device trust", [id.slice(0, 8), "--group", "guests"])).group, "guests");
      await cliResult(place, "device revoke", [id.slice(0, 8)]);
      await cliError(place, ["backup", source], { env, exit: 16 });
      const { devices } = await cliResult(place, "device list");
      assert.deepEqual(devices.map(({ name, revoked, current, group }) => [name, revoked, current, group]).toSorted(), [
        ["laptop", true, false, "guests"],
        ["server", false, false, ""],
        ["tester", false, true, ""],
      ]);
      const { entries } = await cliResult(place, "log", ["--last", "3"]);
      assert.deepEqual(
        entries.map(({ event, detail }) => [event, detail.group]),
        [
          ["device-trust", null],
          ["device-trust", "guests"],
          ["device-revoke", undefined],
        ],
      );
    });

    test("config says where values come from and masks secrets", async () => {
      const { settings } = await cliResult(place, "config", ["--pack-size-mib", "8", "--upload-limit-kibps", "5"]);
      const row = (key: string) => settings.find((setting) => setting.key === key);
      assert.deepEqual([row("packSizeMiB")?.value, row("packSizeMiB")?.origin], ["8", "flag --pack-size-mib"]);
      assert.equal(row("uploadLimitKiBps")?.value, "5");
      assert.equal(row("passphrase")?.value, "••••••");
      assert.equal(row("vault")?.origin, "env CYBERBACKUP_VAULT");
    });
  });
}
