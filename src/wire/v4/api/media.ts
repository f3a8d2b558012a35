// Media types of protocol 4. The version is part of the type, so that two versions can be told apart before a byte is read.

export const MEDIA = {
  msgpack: "application/vnd.cyberbackup.v4+msgpack",
  pack: "application/vnd.cyberbackup.v4.pack",
  blocks: "application/vnd.cyberbackup.v4.blocks",
  /** One stored object: a record, a keyslot, a pack. */
  object: "application/vnd.cyberbackup.v4.object",
  json: "application/json",
  problem: "application/problem+json",
} as const;
