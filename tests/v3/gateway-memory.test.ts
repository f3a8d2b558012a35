// A large upload holds the gateway under 200 MiB, started as people start it. The largest that the protocol allows is in bench/.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cksum } from "../../src/core/checksum.ts";
import { encryptFile } from "../../src/gateway/legacy-crypto.ts";
import { REPLY, REQUEST } from "../../src/wire/v3/messages.ts";
import { endOf, firstLine, followed } from "../child.ts";
import { cli, newPlace, PASSPHRASE } from "../cli/run-cli.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { Peer } from "./peer.ts";

const LAUNCHER = join(import.meta.dirname, "..", "..", "cyberbackup");
const UNIT_BYTES = 2 ** 20;
/** With what the process takes anyway, more than the limit, if it were kept. */
const UNITS = 160;
const LIMIT_BYTES = 200 * 2 ** 20;
const elsewhere = process.platform !== "linux" && "peak memory is read from /proc";

for (const store of ["vault", "plain"] as const) {
  test(`${UNITS} MiB into ${store}`, { skip: elsewhere }, async () => {
    const place = newPlace();
    await cli(place, ["init", "--quiet"]);
    const args = store === "plain" ? ["--store", "plain", "--dir", join(place.folder, "received")] : [];
    const child = spawn(LAUNCHER, ["gateway", "--listen", "127.0.0.1:0", "--json", ...args], {
      env: {
        PATH: process.env.PATH,
        CYBERBACKUP_HOME: place.home,
        CYBERBACKUP_VAULT: place.vault,
        CYBERBACKUP_PASSPHRASE: PASSPHRASE,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gateway = followed(child);
    try {
      const peer = await Peer.connect((JSON.parse(await firstLine(gateway)) as { port: number }).port);
      await peer.enter("alice");
      const expected = await sendLarge(peer);
      const reply = await peer.next();
      assert.ok(reply !== "closed" && reply.code === REPLY.fileReceived);
      assert.equal(reply.cksum, expected);
      await peer.name(REQUEST.checksumRight, "large");
      assert.equal(await peer.nextCode(), REPLY.acknowledged);
      const peakBytes = Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, "utf8"))![1]) * 1024;
      assert.ok(peakBytes < LIMIT_BYTES, `${Math.round(peakBytes / 2 ** 20)} MiB at the peak`);
      peer.destroy();
    } finally {
      gateway.kill("SIGTERM");
      await endOf(gateway);
      place.remove();
    }
  });
}

/** Each MiB begins in its own way, so that no two are one chunk. Gives the checksum of the whole. */
async function sendLarge(peer: Peer): Promise<number> {
  const unit = pseudoRandomBytes(1, UNIT_BYTES);
  const whole = new Uint8Array(UNITS * UNIT_BYTES);
  const cipher = encryptFile(peer.fileKey);
  const total = UNITS + 1;
  for (let i = 0; i < UNITS; i++) {
    for (let at = 0; at < UNIT_BYTES; at += 4096) unit[at] = i + at / 4096;
    whole.set(unit, i * UNIT_BYTES);
    const content = cipher.update(unit);
    await peer.packet({ name: "large", plainBytes: whole.length, number: i + 1, total }, content);
  }
  await peer.packet({ name: "large", plainBytes: whole.length, number: total, total }, cipher.end()!);
  return cksum(whole);
}
