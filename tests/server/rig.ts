// A real server on free loopback ports, in a data folder of its own, for one test.

import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunningServer, ServerOptions } from "../../src/server/app.ts";
import { startServer } from "../../src/server/app.ts";
import type { PasswordHashing } from "../../src/server/kit.ts";
import type { ServerSettings } from "../../src/server/settings.ts";

export type Rig = {
  readonly server: RunningServer;
  readonly data: string;
  [Symbol.asyncDispose](): Promise<void>;
};

export function testSettings(data: string, changes: Partial<ServerSettings> = {}): ServerSettings {
  return {
    data,
    listen: undefined,
    listenHttp: { host: "127.0.0.1", port: 0 },
    tls: undefined,
    trustProxy: false,
    publicUrl: undefined,
    proxyCertificateFile: undefined,
    web: false,
    reserveBytes: 0,
    scrubDays: 30,
    scrubBytesPerSecond: 0,
    ...changes,
  };
}

/** What scrypt costs is tested by whoever asks for it: people of all other tests would spend minutes on it. */
export const CHEAP_HASHING: PasswordHashing = {
  async hash(password) {
    const salt = randomBytes(8).toString("hex");
    return `${salt}:${digestOf(salt, password)}`;
  },
  async verify({ hash, password }) {
    const [salt = "", digest] = hash.split(":");
    return digest === digestOf(salt, password);
  },
};

function digestOf(salt: string, password: string): string {
  return createHash("sha256").update(`${salt}:${password}`).digest("hex");
}

export async function startRig(
  options: Omit<ServerOptions, "settings"> & {
    readonly settings?: Partial<ServerSettings>;
    readonly data?: string;
  } = {},
): Promise<Rig> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), "cb-srv-"));
  const settings = testSettings(data, options.settings);
  const server = await startServer({ passwordHashing: CHEAP_HASHING, ...options, settings });
  return {
    server,
    data,
    async [Symbol.asyncDispose]() {
      await server.stop();
      // A folder that was given is its giver's.
      if (options.data === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
}

export type Reply = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

export type Ask = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

/** Over plain HTTP, or the local socket. */
export function ask(at: { port: number } | { socketPath: string }, path: string, options: Ask = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body } = options;
    const sent = request({ host: "127.0.0.1", ...at, path, method, headers, agent: false }, (response) => {
      const slices: Buffer[] = [];
      response.on("data", (slice: Buffer) => slices.push(slice));
      response.on("end", () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(slices) });
      });
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
