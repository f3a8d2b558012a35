import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { extract } from "tar-stream";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { makeFixture, Node, type Spec } from "../../../tests/snapshot-fixture.ts";
import { utf8 } from "../../core/bytes.ts";
import { type RawPath, rawFromBytes, rawFromText } from "../../core/raw-path.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import { resolveSnapshot } from "../reader/resolve.ts";
import { requireEntry } from "../reader/tree-reader.ts";
import type { DumpOptions } from "./steps.ts";
import { dumpTar } from "./tar.ts";
import { dumpZip } from "./zip.ts";

const hardLink = { device: 1, inode: 2 };
const LONG = "long ".repeat(40);
const BINARY = rawFromBytes(Uint8Array.of(0x62, 0xff));
const SPEC: Record<string, Spec> = {
  home: {
    ann: {
      [LONG]: { ünï: "text" },
      big: pseudoRandomBytes(1, 300_001),
      empty: "",
      link: `->${LONG}/ünï`,
      one: new Node({ hardLink, mode: 0o4755 }, utf8("same")),
      two: new Node({ hardLink }, utf8("same")),
      old: new Node({ mtimeSeconds: -2, mtimeNanos: 250_000_000 }, utf8("x")),
      attributes: new Node(
        { xattrs: [{ name: rawFromText("user.bin"), value: Uint8Array.of(0, 255, 10) }] },
        utf8("x"),
      ),
      binary: new Node({ name: BINARY }, utf8("raw")),
      fifo: new Node({ type: ENTRY.fifo }),
      socket: new Node({ type: ENTRY.socket }),
    },
  },
};

async function archive(kind: typeof dumpTar, path: string, options: DumpOptions = {}): Promise<Buffer> {
  const f = await makeFixture();
  await f.snapshot(SPEC, { cut: 50_000 });
  const reader = f.reader();
  const { info } = await resolveSnapshot(reader, "latest");
  const parts: Uint8Array[] = [];
  for await (const part of kind(reader, await requireEntry(reader, info, rawFromText(path)), options)) {
    parts.push(part.slice());
  }
  return Buffer.concat(parts);
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "cyberbackup-dump-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("GNU tar unpacks what was backed up, bytes, links, times and attributes", async (t) => {
  const out = folder(t);
  const skipped: RawPath[] = [];
  const bytes = await archive(dumpTar, "/", { onSkip: ({ path }) => skipped.push(path) });
  execFileSync("tar", ["-x", "--xattrs", "--xattrs-include=user.*", "-C", out], { input: bytes });
  const ann = join(out, "home/ann");
  assert.equal(readFileSync(join(ann, LONG, "ünï"), "utf8"), "text");
  assert.deepEqual(new Uint8Array(readFileSync(join(ann, "big"))), pseudoRandomBytes(1, 300_001));
  assert.equal(readlinkSync(join(ann, "link")), `${LONG}/ünï`);
  assert.equal(statSync(join(ann, "one")).ino, statSync(join(ann, "two")).ino);
  assert.equal(statSync(join(ann, "one"), { bigint: true }).mtimeNs % 1_000_000_000n, 123_456_789n);
  assert.equal(statSync(join(ann, "old"), { bigint: true }).mtimeNs, -1_750_000_000n);
  assert.equal(readFileSync(Buffer.concat([Buffer.from(`${ann}/`), Buffer.of(0x62, 0xff)]), "utf8"), "raw");
  assert.ok(lstatSync(join(ann, "fifo")).isFIFO());
  assert.deepEqual(skipped, ["/home/ann/socket"]);
});

test("another reader of tar agrees on names, sizes and pax records", async () => {
  const bytes = await archive(dumpTar, "/home/ann", { relativeTo: rawFromText("/home/ann") });
  const found: Record<string, { size: number; pax: Record<string, string> }> = {};
  const parser = extract();
  parser.end(bytes);
  for await (const entry of parser) {
    const { name, size, pax } = entry.header as { name: string; size?: number; pax?: Record<string, string> };
    found[name] = { size: size ?? 0, pax: pax ?? {} };
    entry.resume();
  }
  assert.equal(found.big?.size, 300_001);
  assert.equal(found[`${LONG}/ünï`]?.size, 4);
  assert.equal(found.old?.pax.mtime, "-1.750000000");
  assert.equal(found.attributes?.pax["SCHILY.xattr.user.bin"]?.length, 3);
  assert.ok(Object.values(found).some(({ pax }) => pax.hdrcharset === "BINARY"));
});

test("a zip holds files and folders; the rest is said to be left out", async (t) => {
  const out = folder(t);
  const skipped: RawPath[] = [];
  writeFileSync(join(out, "a.zip"), await archive(dumpZip, "/home", { onSkip: ({ path }) => skipped.push(path) }));
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(len(z.namelist()), z.getinfo("home/ann/big").file_size, z.read("home/ann/two").decode(), "home/ann/" in z.namelist())`;
  const answer = execFileSync("python3", ["-c", script, join(out, "a.zip")], { encoding: "utf8" });
  assert.equal(answer.trim(), "11 300001 same True");
  assert.deepEqual(skipped, ["/home/ann/fifo", "/home/ann/link", "/home/ann/socket"]);
});

test("names cannot be relative to a folder elsewhere", async () => {
  await assert.rejects(archive(dumpTar, "/home/ann", { relativeTo: rawFromText("/home/bob") }), /relative/);
});
