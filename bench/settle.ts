// A pause before something is measured. The host of a small virtual machine lends it more than its share of the processor and takes that back
// later: right after heavy work a turn may lose a third of its time (bench/stolen.ts).

import { setTimeout as sleep } from "node:timers/promises";
import { run } from "./measure.ts";

/** Also waits until what was written lies on the disk: it must not be written back at the next one's cost. */
export async function settle(seconds: number): Promise<void> {
  await run({ argv: ["sync"] });
  await sleep(seconds * 1000);
}
