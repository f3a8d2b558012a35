// The first half of a conversation: reconnects with the id that we have, or registers, and ends with the file key of this connection.

import { AppError, isAppError } from "../../core/errors.ts";
import type { V3ClientId } from "../../core/ids.ts";
import { REPLY, REQUEST, type Reply } from "../../wire/v3/messages.ts";
import { encodeNameRequest, encodePublicKeyRequest } from "../../wire/v3/requests.ts";
import { makeLegacyKeyPair, publicKeyOf, unwrapFileKey } from "../legacy-crypto.ts";
import type { Connection } from "./connection.ts";
import type { IdentityStore } from "./identity.ts";
import { expectReply, unexpected } from "./replies.ts";

export type Session = {
  readonly connection: Connection;
  readonly client: V3ClientId;
  readonly fileKey: Uint8Array;
  /** True when the server gave a new id. */
  readonly isNew: boolean;
};

export type LoginOptions = {
  /** Connects; called again where the server closes what it refused. */
  readonly open: () => Promise<Connection>;
  readonly identity: IdentityStore;
  readonly user: string;
};

type KeyReply = Extract<Reply, { readonly wrappedKey: unknown }>;

/** Throws `v3_name_taken`, `v3_name_refused`, `v3_connection`, and `usage` when `me.info` is another user's. */
export async function logIn(options: LoginOptions): Promise<Session> {
  const { identity, user } = options;
  const { me, privateKeys } = await identity.load();
  if (me && me.user !== user) {
    const detail = `${identity.path} belongs to another user than the one to send as. Name another file with --me.`;
    throw new AppError("usage", { context: { detail } });
  }
  const connection = await options.open();
  try {
    if (!me) return await register(connection, options, privateKeys, undefined);
    await connection.send(encodeNameRequest(REQUEST.reconnect, me.client, user));
    const reply = await replyTo(connection, [REPLY.reconnected, REPLY.reconnectRefused], user);
    if (reply.code === REPLY.reconnected) {
      return { connection, client: me.client, fileKey: unwrap(reply, me.client, privateKeys), isNew: false };
    }
    return await registerAnew(connection, options, privateKeys, me.client);
  } catch (error) {
    connection.end();
    throw error;
  }
}

/** On the same connection, as the protocol has it; the old server closes after 1606, so that a second one may be needed. */
async function registerAnew(
  connection: Connection,
  options: LoginOptions,
  privateKeys: readonly Uint8Array[],
  former: V3ClientId,
): Promise<Session> {
  try {
    return await register(connection, options, privateKeys, former);
  } catch (error) {
    if (!isAppError(error, "v3_connection")) throw error;
  }
  connection.end();
  const second = await options.open();
  try {
    return await register(second, options, privateKeys, former);
  } catch (error) {
    second.end();
    throw error;
  }
}

async function register(
  connection: Connection,
  { identity, user }: LoginOptions,
  privateKeys: readonly Uint8Array[],
  former: V3ClientId | undefined,
): Promise<Session> {
  const privateKey = privateKeys[0] ?? (await makeLegacyKeyPair()).privateKey;
  await identity.saveKey(privateKey);
  await connection.send(encodeNameRequest(REQUEST.register, undefined, user));
  const registered = await replyTo(connection, [REPLY.registered, REPLY.nameTaken], user);
  if (registered.code === REPLY.registered) {
    const { client } = registered;
    await identity.save({ user, client, privateKey });
    return { connection, client, fileKey: await sendKey(connection, user, client, privateKey), isNew: true };
  }
  // The name may be ours: a run that was cut between its registration and its key left the server with an id that has none.
  if (former === undefined) throw nameTaken(user);
  const fileKey = await sendKey(connection, user, former, privateKey).catch((error: unknown) => {
    throw isAppError(error, "interrupted") ? error : nameTaken(user);
  });
  return { connection, client: former, fileKey, isNew: false };
}

async function sendKey(
  connection: Connection,
  user: string,
  client: V3ClientId,
  privateKey: Uint8Array,
): Promise<Uint8Array> {
  await connection.send(encodePublicKeyRequest(client, user, publicKeyOf(privateKey)));
  const reply = await replyTo(connection, [REPLY.keyReceived], user);
  return unwrap(reply, client, [privateKey]);
}

/** Throws `v3_name_refused` for 1607: it is the name, or its key, that this server does not want. */
async function replyTo<const Code extends Reply["code"]>(
  connection: Connection,
  codes: readonly Code[],
  user: string,
): Promise<Reply & { readonly code: Code }> {
  const reply = await connection.reply();
  if (reply.code === REPLY.error) throw new AppError("v3_name_refused", { context: { name: user } });
  return expectReply(reply, codes, "our key");
}

function unwrap(reply: KeyReply, client: V3ClientId, privateKeys: readonly Uint8Array[]): Uint8Array {
  if (reply.client !== client) throw unexpected("a file key for another client");
  for (const privateKey of privateKeys) {
    const fileKey = unwrapFileKey(privateKey, reply.wrappedKey);
    if (fileKey) return fileKey;
  }
  const detail = "the server's file key is sealed to another key than ours.";
  throw new AppError("v3_file_invalid", { context: { path: "priv.key", detail } });
}

function nameTaken(user: string): AppError {
  return new AppError("v3_name_taken", { context: { name: user } });
}
