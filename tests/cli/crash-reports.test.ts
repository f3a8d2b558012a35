// A real process crashes, and a receiver of Sentry's envelopes (an HTTP server that takes them apart as
// https://develop.sentry.dev/sdk/data-model/envelopes/ says) gets a report in which nothing stands that is anybody's business.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { logFiles } from "../../src/node/log/files.ts";
import { readVersion } from "../../src/node/version.ts";
import { endOf, firstLine, followed } from "../child.ts";
import { cliError, newPlace, type Place } from "./run-cli.ts";

const CANARY = "kanarienvogel";
const CRASHING = join(import.meta.dirname, "crashing.ts");

type Frame = { filename: string; function?: string; lineno: number; in_app: boolean };
type Report = {
  readonly release: string;
  readonly tags: Record<string, string>;
  readonly exception: { values: { type: string; value: string; stacktrace: { frames: Frame[] } }[] };
  readonly breadcrumbs: { message: string; level: string; data: Record<string, unknown> }[];
  readonly [more: string]: unknown;
};
type Envelope = {
  readonly raw: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly events: Report[];
};

/** Takes envelopes in. */
class Receiver {
  readonly envelopes: Envelope[] = [];
  readonly #server: Server = createServer((request, response) => {
    const slices: Buffer[] = [];
    request.on("data", (slice: Buffer) => slices.push(slice));
    request.on("end", () => {
      const body = Buffer.concat(slices);
      const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      this.envelopes.push({
        ...{ raw: plain.toString(), headers: request.headers, path: request.url!, events: eventsIn(plain) },
      });
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get dsn(): string {
    return `http://0123456789abcdef@127.0.0.1:${(this.#server.address() as AddressInfo).port}/7`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Header of the envelope, then header and payload of each item, each on a line or as long as its header says. */
function eventsIn(envelope: Buffer): Report[] {
  const events: Report[] = [];
  let at = envelope.indexOf("\n") + 1;
  while (at > 0 && at < envelope.length) {
    const end = envelope.indexOf("\n", at);
    const { type, length } = JSON.parse(envelope.subarray(at, end).toString()) as { type: string; length?: number };
    const next = length === undefined ? envelope.indexOf("\n", end + 1) : end + 1 + length;
    const payload = envelope.subarray(end + 1, next < 0 ? envelope.length : next);
    if (type === "event") events.push(JSON.parse(payload.toString()) as Report);
    at = next < 0 ? envelope.length : next + 1;
  }
  return events;
}

describe("crash reports", () => {
  const receiver = new Receiver();
  let place: Place;
  before(async () => {
    place = newPlace();
    await receiver.start();
  });
  after(async () => {
    await receiver.stop();
    place.remove();
  });

  async function crash(
    signal: "SIGUSR2" | "SIGHUP",
    dsn: string | undefined,
  ): Promise<{ exit: number | null; data: string }> {
    const data = join(place.folder, `${CANARY}-${signal}-${dsn === undefined ? "off" : "on"}`);
    const args = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--no-web", "--json"];
    const started = spawn(process.execPath, [CRASHING, ...args], {
      cwd: join(place.folder, "cwd"),
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...{ PATH: process.env.PATH, HOME: place.folder, CYBERBACKUP_HOME: join(place.folder, CANARY) },
        ...{ CANARY, CYBERBACKUP_PASSPHRASE: `${CANARY} sings`, CYBERBACKUP_API_KEY: `cb_${CANARY}` },
        ...(dsn === undefined ? {} : { CYBERBACKUP_CRASH_REPORTS_DSN: dsn }),
      },
    });
    const child = followed(started);
    await firstLine(child);
    child.kill(signal);
    return { exit: await endOf(child), data };
  }

  test("an exception that nobody catches arrives, with release, place and trail, and without a canary", async () => {
    const { exit, data } = await crash("SIGUSR2", receiver.dsn);
    assert.equal(exit, 1);
    const { raw, headers, path, events } = receiver.envelopes.pop()!;
    const [report] = events;
    assert.ok(report);
    assert.equal(path.split("?")[0], "/api/7/envelope/");
    assert.equal(report.release, `cyberbackup@${readVersion()}`);
    assert.deepEqual(report.tags, { program: "serve", platform: process.platform, arch: process.arch });
    assert.deepEqual(
      report.exception.values.map(({ type, value }) => [type, value]),
      [
        ["Error", "its message is withheld"],
        ["Error", "its message is withheld"],
      ],
    );
    assert.ok(report.breadcrumbs.some(({ message, level }) => message === "the server is up" && level === "info"));
    assertClean(`${raw}\n${path}\n${JSON.stringify(headers)}`);
    assert.equal(report.server_name, undefined);
    assert.equal(report.user, undefined);
    // The log had its last lines written before the end.
    const [log] = await logFiles(join(data, "logs"), "server");
    assert.match(readFileSync(log!, "utf8"), /the server is up/);
  });

  test("so does a promise that fails with nobody to hear", async () => {
    const { exit } = await crash("SIGHUP", receiver.dsn);
    assert.equal(exit, 1);
    const { raw, events } = receiver.envelopes.pop()!;
    const [inner, outer] = events[0]!.exception.values;
    assert.equal(outer!.type, "RangeError");
    // The innermost frame comes last, and is the one place of ours that this happened at.
    const { filename, function: name, in_app } = inner!.stacktrace.frames.at(-1)!;
    assert.deepEqual([filename, in_app, inner!.type], ["src/node/config.ts", true, "TypeError"]);
    assert.match(name!, /loadConfig/);
    assertClean(raw);
  });

  test("without an address nothing is sent", async () => {
    const { exit } = await crash("SIGUSR2", undefined);
    assert.equal(exit, 1);
    assert.equal(receiver.envelopes.length, 0);
  });

  test("an address that is none is a plain error", async () => {
    const env = { CYBERBACKUP_CRASH_REPORTS_DSN: "http://nowhere" };
    assert.match((await cliError(place, ["config"], { exit: 2, env })).message, /crashReportsDsn/);
  });
});

function assertClean(text: string): void {
  for (const word of [CANARY, CANARY.toUpperCase(), "Kanarien", "/home/", "/tmp/", hostname(), process.cwd()]) {
    assert.ok(!text.includes(word), `the report tells ${word}`);
  }
  // "root" is a word of its own in JSON nowhere; other names of users are unlikely ones.
  assert.ok(!new RegExp(`"[^"]*\\b${userInfo().username}\\b[^"]*"`).test(text), "the report tells the user's name");
}
