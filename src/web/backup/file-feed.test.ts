import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { concatBytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { LARGE_FILE_BYTES } from "../../engine/backup/content.ts";
import { FileFeed } from "./file-feed.ts";

const PATH = "/film" as RawPath;
const CONTENT = pseudoRandomBytes(3, LARGE_FILE_BYTES + 70_000);

/** As Chromium has them: a file that was changed on the disk cannot be read through what was taken of it before. */
class ChangedFile extends File {
  override stream(): ReturnType<File["stream"]> {
    return new ReadableStream({
      pull(controller) {
        controller.error(new DOMException("it has changed", "NotReadableError"));
      },
    });
  }
}

function fileOf(kind: typeof File, lastModified: number): File {
  return new kind([CONTENT], "film", { lastModified });
}

function handleOf(...files: readonly File[]): FileSystemFileHandle {
  let at = 0;
  const getFile = async (): Promise<File> => files[Math.min(at++, files.length - 1)]!;
  return { getFile } as FileSystemFileHandle;
}

async function read(file: File, handle?: FileSystemFileHandle) {
  const feed = new FileFeed();
  feed.found(PATH, { file, handle });
  const found = await feed.large(PATH);
  assert.ok(!("problem" in found));
  const slices: Uint8Array[] = [];
  for await (const slice of found.slices) slices.push(slice.slice());
  return { bytes: concatBytes(slices), mark: found.mark, after: await found.after() };
}

describe("a large file", () => {
  test("comes whole, and has not changed", async () => {
    const { bytes, mark, after } = await read(fileOf(File, 1000));
    assert.deepEqual(bytes, CONTENT);
    assert.equal(mark.size, CONTENT.length);
    assert.deepEqual(after, { mark });
  });

  test("that has changed is taken anew through its handle, and the run hears of it", async () => {
    const handle = handleOf(fileOf(ChangedFile, 1000), fileOf(File, 2000));
    const { bytes, mark, after } = await read(fileOf(File, 1000), handle);
    assert.deepEqual(bytes, CONTENT);
    assert.equal(after.problem, undefined);
    assert.notDeepEqual(after, { mark });
  });

  test("that cannot be read, or changes each time, is a problem", async () => {
    const changed = fileOf(ChangedFile, 1000);
    assert.deepEqual((await read(changed)).after, { problem: "EIO" });
    assert.deepEqual((await read(changed, handleOf(changed))).after, { problem: "EIO" });
  });
});
