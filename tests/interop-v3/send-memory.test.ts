// `v3 send` holds a file's size in no memory: the peak of its process is nearly the same for 1 KiB and for hundreds of MiB.

import assert from "node:assert/strict";
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { UploadStore } from "../../src/gateway/upload-store.ts";
import { ended, newPlace, start } from "../cli/run-cli.ts";
import { startRig } from "../v3/peer.ts";

const LARGE_BYTES = 384 * 2 ** 20;
/** Buffers on their way and what the collector has not come to; the file would be three times that. */
const SPARE_BYTES = 128 * 2 ** 20;

/** Takes everything and keeps nothing. */
const nowhere: UploadStore = {
  description: "nowhere",
  begin: async () => ({
    write: async () => undefined,
    commit: async () => undefined,
    abort: async () => undefined,
  }),
  close: async () => undefined,
};

test("v3 send takes no more memory for a large file", {
  skip: !existsSync("/proc/self/status") && "there is no /proc here",
}, async (t) => {
  const rig = await startRig({ openStore: async () => nowhere });
  const place = newPlace();
  t.after(async () => {
    await rig.stop();
    place.remove();
  });
  const peakOf = async (name: string, sizeBytes: number): Promise<number> => {
    const file = openSync(join(place.folder, "cwd", name), "w");
    ftruncateSync(file, sizeBytes);
    closeSync(file);
    const server = `127.0.0.1:${rig.gateway.address.port}`;
    const child = start(place, ["v3", "send", "--server", server, "--name", "ann", name]);
    child.stdin!.end();
    let peakBytes = 0;
    const timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakSoFar(child.pid!));
    }, 5);
    const { exit, stderr } = await ended(child);
    clearInterval(timer);
    assert.equal(exit, 0, stderr);
    assert.ok(peakBytes > 0);
    return peakBytes;
  };
  const small = await peakOf("small", 1024);
  const large = await peakOf("large", LARGE_BYTES);
  assert.ok(large < small + SPARE_BYTES, `${small} bytes for the small one, ${large} for the large one`);
});

/** The most that the process has ever had in memory; 0 once it is gone. */
function peakSoFar(pid: number): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}
