// Whose a restored file is: the local user and group of the recorded name, else the recorded number. Only root can give files away;
// anyone else keeps them.

import { readFileSync } from "node:fs";
import { type OwnerNames, type TreeEntry, UNKNOWN_OWNER } from "../../wire/v4/tree-types.ts";
import { createOwners, type Owners } from "../owners.ts";

/** Ids to set; -1 leaves what the system gives. */
export type OwnerIds = { readonly uid: number; readonly gid: number };

const UNSET: OwnerIds = { uid: -1, gid: -1 };

export class OwnerResolver {
  readonly #local: Pick<Owners, "userId" | "groupId">;
  readonly #uid: number;
  readonly #gid: number;
  /** Entries that keep another owner than the recorded one. */
  notSet = 0;

  /** `uid` and `gid` are those of this process. */
  constructor(local: Pick<Owners, "userId" | "groupId">, uid: number, gid: number) {
    this.#local = local;
    this.#uid = uid;
    this.#gid = gid;
  }

  /** What has to be set on something that this process made. */
  ofNew(entry: TreeEntry, names: OwnerNames): OwnerIds {
    const { uid, gid } = this.#localIds(entry, names);
    if (uid === this.#uid && gid === this.#gid) return UNSET;
    if (this.#uid === 0) return { uid, gid };
    this.notSet++;
    return UNSET;
  }

  /** What has to be set on something that exists and belongs to `current`. */
  ofExisting(entry: TreeEntry, names: OwnerNames, current: OwnerIds): OwnerIds {
    const { uid, gid } = this.#localIds(entry, names);
    if (uid === current.uid && gid === current.gid) return UNSET;
    if (this.#uid === 0) return { uid, gid };
    this.notSet++;
    return UNSET;
  }

  #localIds(entry: TreeEntry, { users, groups }: OwnerNames): OwnerIds {
    const user = users.get(entry.uid);
    const group = groups.get(entry.gid);
    return {
      uid: (user === undefined ? undefined : this.#local.userId(user)) ?? known(entry.uid, this.#uid),
      gid: (group === undefined ? undefined : this.#local.groupId(group)) ?? known(entry.gid, this.#gid),
    };
  }
}

function known(id: number, own: number): number {
  return id === UNKNOWN_OWNER ? own : id;
}

/** This machine's users and groups; none where it keeps no such files. */
export function localOwners(): Owners {
  return createOwners((path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  });
}
