// node bench/v3-upload.ts STORE FOLDER FILE BYTES [HALF-OPEN]: one upload of protocol 3 into a gateway of its own, through the network of
// this machine. Prints what it took as JSON: the time from the first packet to the word that the file is safe, and the gateway's own
// peak memory. Starting the gateway, logging in and encrypting (what the client's machine does) come before that time.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readSync, statSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Cksum } from "../src/core/checksum.ts";
import type { V3ClientId } from "../src/core/ids.ts";
import { cipherLength, encryptFile, makeLegacyKeyPair, unwrapFileKey } from "../src/gateway/legacy-crypto.ts";
import { ReplyReader } from "../src/wire/v3/frame-reader.ts";
import { REPLY, REQUEST, type Reply } from "../src/wire/v3/messages.ts";
import { encodeNameRequest, encodePacketHead, encodePublicKeyRequest } from "../src/wire/v3/requests.ts";
import { CHECKOUT, emptyFolder } from "./folders.ts";
import { run } from "./measure.ts";

const LOOPBACK = "127.0.0.1";
const PIECE_BYTES = 2 ** 20;
const PACKETS_AT_MOST = 65_535;
const PACKET_BYTES = 64 * 1024;
const LOG_INS = 60;
const RETRY_MS = 500;
const USER = "bench";
const NAME = "upload.bin";

const [store = "vault", folder = "", file = "", size = "0", halfOpen = "0"] = process.argv.slice(2);
const plainBytes = Number(size);
await emptyFolder(folder);
const env = { CYBERBACKUP_HOME: join(folder, "home"), CYBERBACKUP_PASSPHRASE: "only for measuring" };
const vault = ["--vault", join(folder, "vault")];
const launcher = join(CHECKOUT, "cyberbackup");
if (store === "vault") await run({ argv: [launcher, "init", "--quiet", ...vault], env });
const place = store === "vault" ? vault : ["--store", "plain", "--dir", join(folder, "received")];
const gateway = spawn(launcher, ["gateway", "--listen", `${LOOPBACK}:0`, "--json", ...place], {
  env: { PATH: process.env.PATH, ...env },
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const port = await portOf(gateway);
  const idle = await openIdle(port, Number(halfOpen));
  const client = await logInAtLast(port);
  const cipherFile = join(folder, "cipher.bin");
  const expected = encryptTo(cipherFile, client.fileKey);
  const start = performance.now();
  await send(client, cipherFile);
  const received = await client.next();
  if (received.code !== REPLY.fileReceived || received.cksum !== expected) throw new Error("the receipt is wrong");
  client.socket.write(encodeNameRequest(REQUEST.checksumRight, client.id, NAME));
  if ((await client.next()).code !== REPLY.acknowledged) throw new Error("the upload was not acknowledged");
  const wallMs = performance.now() - start;
  console.log(JSON.stringify({ wallMs, peakBytes: peakOf(gateway.pid!) }));
  client.socket.destroy();
  for (const socket of idle) socket.destroy();
} finally {
  const ended = once(gateway, "close");
  gateway.kill("SIGTERM");
  await ended;
}

type Client = {
  readonly socket: Socket;
  readonly id: V3ClientId;
  readonly fileKey: Uint8Array;
  next(): Promise<Reply>;
};

/** The launcher becomes the gateway (exec), so that the child's own process is the one to look at. */
async function portOf(child: ChildProcess): Promise<number> {
  let text = "";
  for await (const part of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += String(part);
    if (text.includes("\n")) break;
  }
  child.stdout!.resume();
  const { port } = JSON.parse(text.split("\n", 1)[0]!) as { port: number };
  return port;
}

async function openIdle(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect({ host: LOOPBACK, port });
    socket.on("error", () => undefined);
    sockets.push(socket);
    if (i % 100 === 99) await once(socket, "connect");
  }
  return sockets;
}

/** Tries again while the gateway is full: it makes room once others have been silent for a while. */
async function logInAtLast(port: number): Promise<Client> {
  for (let left = LOG_INS; ; left--) {
    try {
      return await logIn(port);
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function logIn(port: number): Promise<Client> {
  const socket = connect({ host: LOOPBACK, port, noDelay: true });
  await once(socket, "connect");
  const reader = new ReplyReader();
  const replies: Reply[] = [];
  let wake: (() => void) | undefined;
  socket.on("data", (slice: Uint8Array) => {
    replies.push(...reader.push(slice));
    wake?.();
  });
  const next = async (): Promise<Reply> => {
    while (replies.length === 0) {
      if (socket.destroyed) throw new Error("the gateway has closed the connection");
      await new Promise<void>((resolve) => {
        wake = resolve;
        socket.once("close", resolve);
      });
    }
    return replies.shift()!;
  };
  const { publicKey, privateKey } = await makeLegacyKeyPair();
  socket.write(encodeNameRequest(REQUEST.register, undefined, USER));
  const registered = await next();
  if (registered.code !== REPLY.registered) throw new Error("the gateway did not register the client");
  socket.write(encodePublicKeyRequest(registered.client, USER, publicKey));
  const keyed = await next();
  if (keyed.code !== REPLY.keyReceived) throw new Error("the gateway did not take the key");
  return { socket, id: registered.client, fileKey: unwrapFileKey(privateKey, keyed.wrappedKey)!, next };
}

/** The first `plainBytes` of the file, read over and over if it is shorter. Gives their checksum. */
function encryptTo(target: string, fileKey: Uint8Array): number {
  const [from, to] = [openSync(file, "r"), openSync(target, "w")];
  const [cipher, cksum, piece] = [encryptFile(fileKey), new Cksum(), new Uint8Array(PIECE_BYTES)];
  const { size: fileBytes } = statSync(file);
  for (let at = 0; at < plainBytes; ) {
    const read = readSync(from, piece, 0, Math.min(piece.length, plainBytes - at), at % fileBytes);
    const part = piece.subarray(0, read);
    cksum.update(part);
    writeSync(to, cipher.update(part));
    at += read;
  }
  writeSync(to, cipher.end()!);
  closeSync(from);
  closeSync(to);
  return cksum.digest();
}

async function send({ socket, id }: Client, cipherFile: string): Promise<void> {
  const left = cipherLength(plainBytes);
  const packetBytes = Math.max(PACKET_BYTES, Math.ceil(left / PACKETS_AT_MOST));
  const total = Math.ceil(left / packetBytes);
  const from = openSync(cipherFile, "r");
  // Several packets a write, one being sent and one being filled: the sender shares this machine's processors with the gateway, and is
  // not what is measured.
  const headBytes = encodePacketHead(id, { cipherBytes: 0, plainBytes, number: 1, total, name: NAME }).length;
  const pieceBytes = Math.max(1, Math.floor(PIECE_BYTES / packetBytes)) * (headBytes + packetBytes);
  let [piece, other] = [new Uint8Array(pieceBytes), new Uint8Array(pieceBytes)];
  let sent = Promise.resolve();
  for (let number = 1; number <= total; [piece, other] = [other, piece]) {
    let at = 0;
    for (; number <= total && at < piece.length; number++) {
      const cipherBytes = Math.min(packetBytes, left - (number - 1) * packetBytes);
      piece.set(encodePacketHead(id, { cipherBytes, plainBytes, number, total, name: NAME }), at);
      readSync(from, piece, at + headBytes, cipherBytes, (number - 1) * packetBytes);
      at += headBytes + cipherBytes;
    }
    await sent;
    sent = new Promise((resolve, reject) => {
      socket.write(piece.subarray(0, at), (error) => (error ? reject(error) : resolve()));
    });
  }
  await sent;
  closeSync(from);
}

function peakOf(pid: number): number {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}
