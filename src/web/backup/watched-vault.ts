// A vault port that tells what a run is at: the engine knows no phases beyond its own, and the page shows finer ones. It also holds
// packs back while the run is paused.

import type { Clock } from "../../core/clock.ts";
import type { SessionId } from "../../core/ids.ts";
import type { Gate } from "../../engine/backup/gate.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";

export type VaultEvents = {
  onSession(session: SessionId): Promise<void>;
  onAnswer(tookMs: number): void;
  onPack(lengthBytes: number, tookMs: number): void;
  onCommit(): void;
};

export function watchVault(
  vault: VaultPort,
  { gate, signal, clock, events }: { gate: Gate; signal: AbortSignal; clock: Clock; events: VaultEvents },
): VaultPort {
  const own: Partial<VaultPort> = {
    async openSession(request) {
      await events.onSession(request.session);
      return timed(() => vault.openSession(request));
    },
    findChunks: (session, chunkIds) => timed(() => vault.findChunks(session, chunkIds)),
    async putPack(session, pack) {
      let lengthBytes = 0;
      let endedAt = 0;
      async function* held(): AsyncGenerator<Uint8Array> {
        for await (const slice of pack) {
          await gate.pass(signal);
          lengthBytes += slice.length;
          yield slice;
        }
        endedAt = clock.monotonic();
      }
      const receipt = await vault.putPack(session, held());
      events.onPack(lengthBytes, clock.monotonic() - endedAt);
      return receipt;
    },
    commit(session, record) {
      events.onCommit();
      return vault.commit(session, record);
    },
  };
  async function timed<T>(ask: () => Promise<T>): Promise<T> {
    const startedAt = clock.monotonic();
    const answer = await ask();
    events.onAnswer(clock.monotonic() - startedAt);
    return answer;
  }
  return new Proxy(vault, {
    get(target, name) {
      const changed = own[name as keyof VaultPort];
      if (changed !== undefined) return changed;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
