// What people's commands do to vaults: make them, change them by signed statements, invite devices, see them. Roles are the
// table's; what the table cannot say (keyslots are an owner's) is said here.

import { AppError } from "../../core/errors.ts";
import type { DeviceId } from "../../core/ids.ts";
import { logDevices, openSessions, snapshotsByDevice } from "../../vault/server-queries.ts";
import type { INVITE_ROUTES } from "../../wire/v4/api/invite-routes.ts";
import type { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import type { SignedStatement } from "../../wire/v4/vault-port.ts";
import type { Handlers } from "../http/call.ts";
import { hasRole, type Principal, roleOf } from "../http/principal.ts";
import type { ServerKit } from "../kit.ts";
import { vaultTrouble } from "../troubles.ts";
import { deviceNotes, nameDevice } from "./device-notes.ts";
import { addInvite, dropInvite, listInvites } from "./invitations.ts";
import type { RevocationWatch } from "./revocation.ts";

type WireStatement = Omit<SignedStatement, "by" | "sig"> & {
  readonly by: DeviceId | null;
  readonly sig: SignedStatement["sig"] | null;
};

export function fromWire({ type, body, by, sig }: WireStatement): SignedStatement {
  return { type, body, by: by ?? undefined, sig: sig ?? undefined };
}

export function vaultHandlers(
  kit: ServerKit,
  watch: RevocationWatch,
): Handlers<typeof VAULT_ROUTES> & Handlers<typeof INVITE_ROUTES> {
  return {
    vaults({ principal }) {
      const visible = kit.vaults.list().filter(({ id }) => hasRole(roleOf(principal, id), "viewer"));
      return {
        vaults: visible.map((served) => {
          const { id, name, problem } = served;
          return { id, name, problem: problem?.code ?? null, trouble: vaultTrouble(served) };
        }),
      };
    },

    async vault({ vault: served }) {
      const { id, name } = served;
      return { id, name, problem: null, trouble: vaultTrouble(served), stats: await served.admin.stats() };
    },

    async makeVault({ body, principal, address, request }) {
      const { name, record, keyslotFiles } = body;
      const statements = body.statements.map((statement) => requireSigned(fromWire(statement)));
      const served = await kit.vaults.create(name, { record, statements, keyslotFiles });
      kit.audit({ principal, address, request, action: "makeVault", vault: served.id });
      kit.emit({ type: "vault-made", vault: served.id, name });
      return { vault: served.id, name, head: await served.vault.head() };
    },

    async statement({ vault: served, body, principal, address, request }) {
      const statement = requireSigned(fromWire(body.statement));
      if (statement.type.startsWith("keyslot-") && !hasRole(roleOf(principal, served.id), "owner")) {
        throw new AppError("forbidden", { context: { caller: "this account", needed: "the role owner" } });
      }
      const head = await served.admin.apply(statement, body.keyslotFile ?? undefined);
      kit.audit({ principal, address, request, action: statement.type, vault: served.id });
      kit.emit({ type: "statement", vault: served.id, statement: statement.type });
      await watch.lookAt(served);
      return { seq: head.seq, id: head.id };
    },

    async deviceList({ vault: served }) {
      const { context } = served.vault;
      const notes = deviceNotes(kit.database, served.id);
      const open = openSessions(context);
      const snapshots = snapshotsByDevice(context);
      const devices = [...logDevices(context).values()].map(({ device, name, revoked, group, addedAt }) => {
        const note = notes.get(device);
        const own = snapshots.get(device);
        return {
          device,
          name: note?.name ?? name,
          givenName: name,
          revoked,
          group,
          enrolledAt: addedAt,
          lastSeenAt: note?.lastSeenAt ?? null,
          lastAddress: note?.lastAddress ?? null,
          openSessions: open.get(device)?.count ?? 0,
          snapshots: own?.count ?? 0,
          lastSnapshotAt: own?.lastAt ?? null,
          addedBytes: own?.addedBytes ?? 0,
        };
      });
      return { devices };
    },

    async renameDevice({ vault: served, params, body }) {
      if (!logDevices(served.vault.context).has(params.device)) {
        throw new AppError("not_found", { context: { what: `The device ${params.device}` } });
      }
      nameDevice(kit.database, served.id, params.device, body.name);
      return undefined;
    },

    async makeInvite({ vault: served, body, principal, address, request }) {
      const endsAt = addInvite(kit, served.id, body, nameOf(principal));
      kit.audit({ principal, address, request, action: "makeInvite", vault: served.id, detail: body.lookup });
      return { endsAt };
    },

    async invites({ vault: served }) {
      const invites = listInvites(kit, served.id).map(
        ({ lookup, name, createdAt, endsAt, madeBy, usedBy, usedAt }) => ({
          invite: lookup,
          name,
          createdAt,
          endsAt,
          by: madeBy,
          usedBy,
          usedAt,
        }),
      );
      return { invites };
    },

    async dropInvite({ vault: served, params }) {
      dropInvite(kit, served.id, params.invite);
      return undefined;
    },
  };
}

/** Only the server itself says things without a signature. */
function requireSigned(statement: SignedStatement): SignedStatement {
  if (statement.by !== undefined && statement.sig !== undefined) return statement;
  throw new AppError("request_invalid", { context: { detail: "the statement is not signed" } });
}

function nameOf(principal: Principal): string {
  return principal.kind === "person" ? principal.name : "this machine";
}
