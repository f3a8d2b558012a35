// How a browser's thread gives the memory of large buffers back (core/bytes.ts, releaseBytes). Once one of the browser's own functions has
// made or seen a buffer, Chromium keeps its memory until the collector comes, also when JavaScript has let it go by `transfer(0)`; and as it
// is then not counted any more, the collector does not come: gigabytes pile up. A buffer that is sent to a worker leaves its thread for
// good, and what is sent to a worker that has ended is kept by nobody (HTML Standard, "terminate a worker").

import { releaseBy } from "../../core/bytes.ts";

/** For the whole thread. Without workers it stays as it is. */
export function releaseToNobody(): void {
  if (typeof Worker === "undefined") return;
  const nobody = new Worker(new URL("./nobody.worker.ts", import.meta.url), { type: "module" });
  nobody.terminate();
  releaseBy((buffer) => nobody.postMessage(undefined, [buffer]));
}
