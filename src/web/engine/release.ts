// How a browser's thread does with the memory of large buffers (core/bytes.ts, memoryBy). What is released is used again: memory that the
// system hands out anew costs as much for each page of it as hashing that page. What is left over is given back: once one of the browser's
// own functions has made or seen a buffer, Chromium keeps its memory until the collector comes, also when JavaScript has let it go by
// `transfer(0)`; and as it is then not counted any more, the collector does not come: gigabytes pile up. A buffer that is sent to a worker
// leaves its thread for good, and what is sent to a worker that has ended is kept by nobody (HTML Standard, "terminate a worker").

import { memoryBy } from "../../core/bytes.ts";

/** Smaller buffers are had from Chromium's own store of memory that it uses again. */
const ROOM_FROM_BYTES = 2 ** 19;
const KEPT_MAX_BYTES = 24 * 2 ** 20;
/** Room for nearly every block, sealed or opened, so that each buffer serves for both and goes round between threads. */
const ROOM_BYTES = 4 * 2 ** 20;

/** For the whole thread. Without workers it stays as it is. */
export function reuseMemory(): void {
  if (typeof Worker === "undefined") return;
  const nobody = new Worker(new URL("./nobody.worker.ts", import.meta.url), { type: "module" });
  nobody.terminate();
  const kept: ArrayBuffer[] = [];
  let keptBytes = 0;
  memoryBy({
    giveBack(buffer) {
      const { byteLength } = buffer;
      if (byteLength < ROOM_BYTES || keptBytes + byteLength > KEPT_MAX_BYTES) {
        nobody.postMessage(undefined, [buffer]);
        return;
      }
      kept.push(buffer);
      keptBytes += byteLength;
    },

    take(length) {
      if (length < ROOM_FROM_BYTES) return new ArrayBuffer(length);
      // The last one is the warmest.
      const at = kept.findLastIndex(({ byteLength }) => byteLength >= length);
      if (at < 0) return new ArrayBuffer(Math.max(length, ROOM_BYTES));
      const [buffer] = kept.splice(at, 1);
      keptBytes -= buffer!.byteLength;
      return buffer!;
    },
  });
}
