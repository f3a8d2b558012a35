// A vault whose uploads keep to a rate. Everything else passes through. The wait comes before a slice is handed on, so that the
// average holds from the first second.

import { type Clock, type Sleep, systemSleep } from "../core/clock.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";

/** The same vault, whose packs together arrive at no more than `bytesPerSecond`, asked for each slice if it is a function; 0 is no limit. */
export function limitUploads(
  vault: VaultPort,
  bytesPerSecond: number | (() => number),
  clock: Clock,
  sleep: Sleep = systemSleep,
): VaultPort {
  if (typeof bytesPerSecond === "number" && bytesPerSecond <= 0) return vault;
  const rate = typeof bytesPerSecond === "number" ? () => bytesPerSecond : bytesPerSecond;
  /** When everything that was let through so far would have arrived at the rate. */
  let dueMs = clock.monotonic();
  async function* paced(slices: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const slice of slices) {
      const now = clock.monotonic();
      const perSecond = rate();
      if (perSecond > 0) {
        dueMs = Math.max(dueMs, now) + (slice.length / perSecond) * 1000;
        await sleep(dueMs - now);
      }
      yield slice;
    }
  }
  return new Proxy(vault, {
    get(target, name) {
      if (name === "putPack") {
        const putPack: VaultPort["putPack"] = (session, pack) => target.putPack(session, paced(pack));
        return putPack;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
