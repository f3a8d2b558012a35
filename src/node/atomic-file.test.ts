import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isAppError } from "../core/errors.ts";
import { readFileIfExists, writeFileAtomic } from "./atomic-file.ts";

const folder = await mkdtemp(join(tmpdir(), "cb-atomic-"));
test.after(() => rm(folder, { recursive: true, force: true }));

describe("an atomic write", () => {
  test("makes folders and file for the owner alone, whatever the umask", async () => {
    const umask = process.umask(0o777);
    try {
      // Folders that are made under this umask could not be entered: they are there before.
      await mkdir(join(folder, "new"));
      await chmod(join(folder, "new"), 0o700);
      await writeFileAtomic(join(folder, "new", "a"), "text");
    } finally {
      process.umask(umask);
    }
    await writeFileAtomic(join(folder, "deep", "er", "b"), Uint8Array.of(1, 2));
    assert.equal((await stat(join(folder, "new", "a"))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, "deep"))).mode & 0o777, 0o700);
    assert.equal(await readFile(join(folder, "new", "a"), "utf8"), "text");
    assert.deepEqual(await readFileIfExists(join(folder, "deep", "er", "b")), Uint8Array.of(1, 2));
  });

  test("replaces a file as a whole, with the mode that was asked for, and leaves nothing beside it", async () => {
    const path = join(folder, "replaced", "x".repeat(255));
    await mkdir(join(folder, "replaced"));
    await writeFile(path, "a longer text than the new one", { mode: 0o666 });
    const open = await readFile(path);
    await writeFileAtomic(path, "new", { mode: 0o640 });
    assert.equal(await readFile(path, "utf8"), "new");
    assert.equal((await stat(path)).mode & 0o777, 0o640);
    assert.equal(open.length, 30);
    assert.deepEqual(await readdir(join(folder, "replaced")), ["x".repeat(255)]);
  });

  test("that fails leaves the old file and no other", async () => {
    const path = join(folder, "taken");
    await mkdir(join(path, "below"), { recursive: true });
    await assert.rejects(writeFileAtomic(path, "x"), (error) => isAppError(error, "io"));
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith(".tmp")),
      [],
    );
    assert.deepEqual(await readdir(path), ["below"]);
  });

  test("of many at a time to one path ends with one of them", async () => {
    const path = join(folder, "many");
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(5000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    assert.ok(texts.includes(await readFile(path, "utf8")));
  });
});

test("what is not there is undefined; what cannot be read is an error that names the path alone", async () => {
  assert.equal(await readFileIfExists(join(folder, "none")), undefined);
  assert.equal(await readFileIfExists(join(folder, "many", "below")), undefined);
  await assert.rejects(readFileIfExists(folder), (error) => isAppError(error, "io") && error.context.path === folder);
});
