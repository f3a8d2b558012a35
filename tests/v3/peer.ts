// A client of protocol 3 that does exactly what a test tells it to, right or wrong, and a gateway for it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concatBytes, fromHex } from "../../src/core/bytes.ts";
import { cksum } from "../../src/core/checksum.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import type { V3ClientId } from "../../src/core/ids.ts";
import { silentLogger } from "../../src/core/log.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../../src/gateway/gateway.ts";
import { encryptFile, unwrapFileKey } from "../../src/gateway/legacy-crypto.ts";
import { openPlainStore } from "../../src/gateway/plain-store.ts";
import type { UploadStore } from "../../src/gateway/upload-store.ts";
import { ReplyReader } from "../../src/wire/v3/frame-reader.ts";
import { type PacketHead, REPLY, REQUEST, type Reply } from "../../src/wire/v3/messages.ts";
import { encodeNameRequest, encodePacketHead, encodePublicKeyRequest } from "../../src/wire/v3/requests.ts";
import vectors from "../vectors/protocol-v3.json" with { type: "json" };

export const PUBLIC_KEY = fromHex(vectors.rsa.spki_der_160);
const PRIVATE_KEY = fromHex(vectors.rsa.pkcs8_der);

export type Rig = {
  readonly folder: string;
  /** Of the plain store. */
  readonly received: string;
  readonly gateway: Gateway;
  peer(): Promise<Peer>;
  stop(): Promise<void>;
};

/** A gateway over a plain store, unless another store is given, on a port that was free. */
export async function startRig(
  options: Partial<GatewayOptions> & { readonly openStore?: (folder: string) => Promise<UploadStore> } = {},
): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), "v3-"));
  const received = join(folder, "received");
  const { openStore = openPlainStore, ...more } = options;
  const gateway = await startGateway({
    listen: { host: "127.0.0.1", port: 0 },
    store: await openStore(received),
    dataDir: join(folder, "data"),
    admission: {},
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    ...more,
  });
  const peers: Peer[] = [];
  return {
    folder,
    received,
    gateway,
    async peer() {
      const peer = await Peer.connect(gateway.address.port);
      peers.push(peer);
      return peer;
    },
    async stop() {
      for (const peer of peers) peer.destroy();
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Login = { readonly id: V3ClientId; readonly fileKey: Uint8Array };

export class Peer {
  readonly #socket: Socket;
  readonly #replies: (Reply | "closed")[] = [];
  #wake: (() => void) | undefined;
  id = "00".repeat(16) as V3ClientId;
  fileKey: Uint8Array = new Uint8Array(32);

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new ReplyReader();
    const hear = (reply: Reply | "closed"): void => {
      this.#replies.push(reply);
      this.#wake?.();
    };
    socket.on("data", (slice: Uint8Array) => {
      for (const reply of reader.push(slice)) hear(reply);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => hear("closed"));
  }

  static async connect(port: number): Promise<Peer> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Peer(socket);
  }

  /** Writes, and waits until the system has taken it. A connection that is gone takes anything. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      if (this.#socket.destroyed) return;
      // The callback comes with an error, too, when the connection is gone.
      await new Promise<void>((resolve) => this.#socket.write(part, () => resolve()));
    }
  }

  /** The next reply, or "closed" once the connection is. */
  async next(): Promise<Reply | "closed"> {
    while (this.#replies.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const [first] = this.#replies;
    // Closed is for good.
    if (first !== "closed") this.#replies.shift();
    return first!;
  }

  async nextCode(): Promise<number | "closed"> {
    const reply = await this.next();
    return reply === "closed" ? reply : reply.code;
  }

  async name(code: Parameters<typeof encodeNameRequest>[0], name: string, id = this.id): Promise<void> {
    await this.send(encodeNameRequest(code, id, name));
  }

  async register(user: string): Promise<Reply | "closed"> {
    await this.name(REQUEST.register, user);
    const reply = await this.next();
    if (reply !== "closed" && reply.code === REPLY.registered) this.id = reply.client;
    return reply;
  }

  async sendKey(user: string, publicKey: Uint8Array = PUBLIC_KEY): Promise<Reply | "closed"> {
    await this.send(encodePublicKeyRequest(this.id, user, publicKey));
    return this.#keyFrom(await this.next());
  }

  async reconnect(user: string, id: V3ClientId): Promise<Reply | "closed"> {
    this.id = id;
    await this.name(REQUEST.reconnect, user);
    return this.#keyFrom(await this.next());
  }

  /** Registers and exchanges a key. */
  async enter(user: string): Promise<this> {
    assert.equal(codeOf(await this.register(user)), REPLY.registered);
    assert.equal(codeOf(await this.sendKey(user)), REPLY.keyReceived);
    return this;
  }

  encrypt(plain: Uint8Array): Uint8Array {
    const cipher = encryptFile(this.fileKey);
    return concatBytes([cipher.update(plain), cipher.end()!]);
  }

  /** One packet; what `head` does not say is true to the content. */
  async packet(head: Partial<PacketHead>, content: Uint8Array): Promise<void> {
    const { cipherBytes = content.length, plainBytes = 0, number = 1, total = 1, name = "file" } = head;
    const bytes = encodePacketHead(this.id, { cipherBytes: content.length, plainBytes, number, total, name });
    new DataView(bytes.buffer).setUint32(23, cipherBytes, true);
    await this.send(bytes, content);
  }

  /** Ciphertext in packets of `packetBytes`; answers the packets without sending them. */
  packets(
    plain: Uint8Array,
    name: string,
    packetBytes: number,
  ): { head: PacketHead & { name: string }; content: Uint8Array }[] {
    const cipher = this.encrypt(plain);
    const total = Math.ceil(cipher.length / packetBytes);
    return Array.from({ length: total }, (_, i) => {
      const content = cipher.subarray(i * packetBytes, (i + 1) * packetBytes);
      return {
        head: { cipherBytes: content.length, plainBytes: plain.length, number: i + 1, total, name },
        content,
      };
    });
  }

  async sendFile(name: string, plain: Uint8Array, packetBytes = 65_536): Promise<Reply | "closed"> {
    for (const { head, content } of this.packets(plain, name, packetBytes)) await this.packet(head, content);
    return this.next();
  }

  /** A whole upload that goes well. */
  async upload(name: string, plain: Uint8Array, packetBytes = 65_536): Promise<void> {
    const reply = await this.sendFile(name, plain, packetBytes);
    assert.ok(reply !== "closed" && reply.code === REPLY.fileReceived, JSON.stringify(reply));
    assert.equal(reply.cksum, cksum(plain));
    assert.equal(reply.name, name);
    await this.name(REQUEST.checksumRight, name);
    assert.equal(await this.nextCode(), REPLY.acknowledged);
  }

  /** The writing side ends; replies can still come. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #keyFrom(reply: Reply | "closed"): Reply | "closed" {
    if (reply !== "closed" && "wrappedKey" in reply) this.fileKey = unwrapFileKey(PRIVATE_KEY, reply.wrappedKey)!;
    return reply;
  }
}

export function codeOf(reply: Reply | "closed"): number | "closed" {
  return reply === "closed" ? reply : reply.code;
}
