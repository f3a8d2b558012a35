// Runs the independent peer of protocol 3 (peer.py) in processes of its own, and hears what it says.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { endOf, followed } from "../child.ts";

const PEER = join(import.meta.dirname, "peer.py");
/** No byte code may be left in the source folder. */
const PYTHON = ["-B", PEER] as const;

const tried = spawnSync("python3", ["-c", "import cryptography"]);

/** Why tests that need the peer are skipped; false when they run. */
export const peerMissing: string | false =
  tried.error !== undefined
    ? "there is no python3 here"
    : tried.status !== 0 && "python3 has no package cryptography here (Debian: python3-cryptography)";

/** One line that the peer said. */
export type PeerEvent = { readonly event: string; readonly [field: string]: unknown };

export type PeerServer = {
  readonly port: number;
  /** Ends it; everything that it said. What it did before a client saw the outcome was said before. */
  end(): Promise<readonly PeerEvent[]>;
};

/** A server on a free port of the loopback; it ends with the test. */
export async function startPeerServer(context: TestContext, args: readonly string[] = []): Promise<PeerServer> {
  const child = followed(spawn("python3", [...PYTHON, "server", ...args], { stdio: ["pipe", "pipe", "inherit"] }));
  const events: PeerEvent[] = [];
  const end = async (): Promise<readonly PeerEvent[]> => {
    child.stdin!.end();
    await endOf(child);
    return events;
  };
  context.after(end);
  const port = await new Promise<number>((resolve, reject) => {
    child.on("error", reject).on("exit", () => reject(new Error("the peer ended before it listened")));
    createInterface(child.stdout!).on("line", (line) => {
      const event = JSON.parse(line) as PeerEvent;
      events.push(event);
      if (event.event === "listening") resolve(event.port as number);
    });
  });
  return { port, end };
}

/** Runs a client to its end; its exit code must be `exit`. */
export async function runPeerClient(
  server: { readonly port: number },
  args: readonly string[],
  { exit = 0 }: { readonly exit?: number } = {},
): Promise<PeerEvent[]> {
  const all = [...PYTHON, "client", "--server", `127.0.0.1:${server.port}`, ...args];
  const child = followed(spawn("python3", all, { stdio: ["ignore", "pipe", "pipe"] }));
  const events: PeerEvent[] = [];
  let errors = "";
  createInterface(child.stdout!).on("line", (line) => events.push(JSON.parse(line) as PeerEvent));
  child.stderr!.on("data", (slice: Buffer) => {
    errors += slice;
  });
  const code = await endOf(child);
  assert.equal(code, exit, `${args.join(" ")}\n${JSON.stringify(events)}\n${errors}`);
  return events;
}
