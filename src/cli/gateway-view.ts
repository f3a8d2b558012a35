// A gateway as the people of the server that it runs in see it (server/gateway-part.ts). Ids of protocol 3 are as good as passwords, so they
// leave here as hashes only.

import { createHash } from "node:crypto";
import type { VaultId } from "../core/ids.ts";
import type { RegisteredClient } from "../gateway/client-registry.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { GatewayView } from "../server/gateway-part.ts";
import type { AdmissionOptions } from "./gateway-options.ts";
import { isLoopback, shownAddress } from "./gateway-run.ts";

export function gatewayView(gateway: Gateway, options: AdmissionOptions, vault: VaultId): GatewayView {
  const { clients } = gateway;
  const change = (id: string, work: (client: RegisteredClient) => boolean): boolean => {
    const client = clients.all().find((each) => shownId(each) === id);
    return client !== undefined && work(client);
  };
  return {
    state() {
      const { connections, stored, refused } = gateway.stats();
      return {
        address: shownAddress(gateway),
        isLoopback: isLoopback(gateway.address.host),
        vault,
        names: options.allowName === undefined ? null : [...options.allowName],
        networks: options.allowNetwork === undefined ? null : [...options.allowNetwork],
        connections,
        stored,
        refused,
        clients: clients.all().map((client) => ({
          id: shownId(client),
          name: client.user,
          hasKey: client.publicKey !== undefined,
          registeredAt: client.registeredAt,
          lastSeenAt: client.lastSeenAt > 0 ? client.lastSeenAt : null,
          lastUploadAt: client.lastUploadAt ?? null,
          retireAt: client.retireAt ?? null,
          fixedRetireAt: gateway.retirements.get(client.user) ?? null,
          answer: gateway.judgeName(client.user),
        })),
      };
    },
    retire: (id, at) => change(id, ({ user }) => clients.retire(user, at ?? undefined)),
    resetKey: (id) => change(id, ({ user }) => clients.resetKey(user)),
    forget: (id) => change(id, ({ user }) => clients.remove(user)),
  };
}

function shownId({ id }: RegisteredClient): string {
  return createHash("sha256").update(`cyberbackup gateway client ${id}`).digest("hex").slice(0, 32);
}
