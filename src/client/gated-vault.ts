// A vault that takes no new pack while a gate is shut. Everything else passes through: the lease of a run that is held up goes on.

import type { VaultPort } from "../wire/v4/vault-port.ts";

export function gateUploads(vault: VaultPort, gate: { pass(): Promise<void> }): VaultPort {
  return new Proxy(vault, {
    get(target, name) {
      if (name === "putPack") {
        const putPack: VaultPort["putPack"] = async (session, pack) => {
          await gate.pass();
          return target.putPack(session, pack);
        };
        return putPack;
      }
      if (name === "commit") {
        const commit: VaultPort["commit"] = async (session, record) => {
          await gate.pass();
          return target.commit(session, record);
        };
        return commit;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
