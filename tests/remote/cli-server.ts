// A real server in this process, over TLS on a free loopback port, with an owner, for command lines that run in processes of their own.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { socketTransport } from "../../src/client/http/node-transport.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { nobody } from "../../src/engine/remote/credentials.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../src/server/app.ts";
import { PEOPLE_ROUTES } from "../../src/wire/v4/api/people-routes.ts";
import { cliResult, type Place } from "../cli/run-cli.ts";
import { CHEAP_HASHING, testSettings } from "../server/rig.ts";

export const OWNER = "olga@example.org";
export const OWNER_PASSWORD = "correct horse battery staple";

export class CliServer {
  readonly data: string;
  readonly #options: Omit<ServerOptions, "settings">;
  #running: RunningServer | undefined;
  #port = 0;

  constructor(folder: string, options: Omit<ServerOptions, "settings"> = {}) {
    this.data = join(folder, "server");
    this.#options = options;
    mkdirSync(this.data);
  }

  get running(): RunningServer {
    return this.#running!;
  }

  get port(): number {
    return this.#port;
  }

  get origin(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get pin(): string {
    return this.running.kit.identity().pin!;
  }

  /** Always at the port that it had first, as a server that started again would be. */
  async start(): Promise<void> {
    const settings = testSettings(this.data, {
      listenHttp: undefined,
      listen: { host: "127.0.0.1", port: this.#port },
    });
    this.#running = await startServer({ passwordHashing: CHEAP_HASHING, ...this.#options, settings });
    this.#port = this.#running.port!;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** A client as this machine: an owner, without a key. */
  machine(): ApiClient {
    const transport = socketTransport(this.running.socketPath);
    const retrier = new Retrier({ clock: systemClock, random: systemRandom });
    return new ApiClient({ transport, credentials: nobody, retrier });
  }

  async addOwner(): Promise<void> {
    const machine = this.machine();
    const body = { email: OWNER, name: "Olga", password: OWNER_PASSWORD };
    await machine.call(PEOPLE_ROUTES.setup, { body });
    await machine.transport.close();
  }
}

/** Logs the home of `place` in as the owner. */
export async function logIn(place: Place, server: CliServer): Promise<void> {
  const passwordFile = join(place.folder, "owner-password.txt");
  writeFileSync(passwordFile, `${OWNER_PASSWORD}\n`);
  await cliResult(place, "login", [
    ...[server.origin, "--server-pin", server.pin, "--email", OWNER, "--password-file", passwordFile],
  ]);
}
