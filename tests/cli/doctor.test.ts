// `doctor` on a machine with a server: what it finds and advises, and a support bundle in which nothing stands that is anybody's business.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { extract } from "tar-stream";
import { cli, cliResult, documentsIn, ended, newPlace, PASSPHRASE, type Place, start } from "./run-cli.ts";

const CANARY = "kanarienvogel";

describe("doctor, beside a server", () => {
  let place: Place;
  let data: string;
  let env: Record<string, string>;
  let server: ReturnType<typeof start>;
  before(async () => {
    place = newPlace();
    data = join(place.folder, `${CANARY}-data`);
    env = {
      ...{ CYBERBACKUP_PASSPHRASE: PASSPHRASE, CYBERBACKUP_DATA: data, CYBERBACKUP_VAULT: "" },
      ...{ CYBERBACKUP_API_KEY: `cb_${CANARY}`, CYBERBACKUP_PUBLIC_URL: `https://${CANARY}.example.org` },
    };
    server = start(place, ["serve", "--listen", "127.0.0.1:0", "--listen-http", "127.0.0.1:0", "--no-web", "--json"], {
      env,
    });
    let text = "";
    for await (const slice of server.stdout!.iterator({ destroyOnReturn: false })) {
      text += slice;
      if (text.includes("\n")) break;
    }
    assert.equal((documentsIn(text.split("\n", 1)[0]!, "serve")[0] as { type: string }).type, "started");
  });
  after(async () => {
    server.kill("SIGTERM");
    await ended(server);
    place.remove();
  });

  test("it looks at the server through its socket, at its files, and at the agent", async () => {
    const { ok, findings } = await cliResult(place, "doctor", [], { env });
    assert.equal(ok, true, JSON.stringify(findings));
    const of = (check: string) => findings.find((finding) => finding.check === check);
    assert.equal(of("server")?.state, "ok");
    assert.equal(of("alerts")?.detail, "none is open");
    assert.equal(of("server permissions")?.state, "ok");
    assert.match(of("agent")!.detail, /no plans/);
    assert.equal(of("temporary files")?.state, "ok");
    assert.match(of("devices")!.detail, /0 of 0 devices/);
  });

  test("a data folder that others can read, plans without an agent and an unknown setting are told with what to do", async () => {
    chmodSync(join(data, "server.db"), 0o644);
    mkdirSync(join(place.home, "plans", "ab".repeat(16)), { recursive: true });
    writeFileSync(join(place.home, "plans", "ab".repeat(16), "x.json"), "{}");
    writeFileSync(join(place.home, "plans", "ab".repeat(16), "place.json"), "{}");
    const more = { ...env, CYBERBACKUP_LOGLEVEL: "debug" };
    const { findings } = await cliResult(place, "doctor", [], { env: more, exit: 1 });
    chmodSync(join(data, "server.db"), 0o600);
    const of = (check: string) => findings.find((finding) => finding.check === check)!;
    assert.deepEqual(
      [of("server permissions").state, of("agent").state, of("settings").state],
      ["problem", "problem", "advice"],
    );
    assert.match(of("server permissions").advice!, /^chmod go= .*server\.db$/);
    assert.match(of("agent").detail, /1 plan waits/);
    assert.match(of("agent").advice!, /agent install/);
    assert.match(of("settings").detail, /Did you mean CYBERBACKUP_LOG_LEVEL/);
  });

  test("a bundle has what helps, and no secret and no name", async () => {
    await cli(place, ["init", "--vault", join(place.folder, `${CANARY}-vault`)], { env });
    const bundle = join(place.folder, "support.tar");
    const args = ["--vault", join(place.folder, `${CANARY}-vault`), "--bundle", bundle];
    const answer = await cliResult(place, "doctor", args, { env, exit: 1 });
    assert.equal(answer.bundle, bundle);
    assert.equal(statSync(bundle).mode & 0o777, 0o600);
    const parts = await contents(bundle);
    assert.deepEqual([...parts.keys()].sort(), [
      ...["README.txt", "about.json", "findings.json", "metrics.txt", "server.log", "settings.json"],
    ]);
    const all = [...parts.values()].join("\n");
    for (const word of [CANARY, PASSPHRASE, place.folder, place.home, hostname(), "example.org"]) {
      assert.ok(!all.includes(word), `the bundle tells ${word}`);
    }
    for (const secret of secretsOf(place, data)) assert.ok(!all.includes(secret), "the bundle tells a secret");
    assert.match(parts.get("server.log")!, /"message":"the server is up"/);
    assert.match(parts.get("metrics.txt")!, /^cyberbackup_build_info/m);
    const settings = JSON.parse(parts.get("settings.json")!) as { key: string; from: string; value?: unknown }[];
    const of = (key: string) => settings.find((setting) => setting.key === key);
    assert.deepEqual(of("publicUrl"), { key: "publicUrl", from: "env", value: "(set)" });
    assert.deepEqual(of("logFiles"), { key: "logFiles", from: "default", value: 7 });
    const findings = JSON.parse(parts.get("findings.json")!) as Record<string, unknown>[];
    assert.ok(findings.some(({ check, state, plans }) => check === "agent" && state === "stopped" && plans === 1));
  });
});

/** Keys of this machine and of the server. */
function secretsOf(place: Place, data: string): string[] {
  const secret = readFileSync(join(data, "auth-secret"), "utf8").trim();
  const authority = readFileSync(join(data, "tls", "authority.pem"), "utf8");
  assert.ok(secret.length > 40 && place.home.length > 0);
  return [secret, ...authority.split("\n").filter((line) => line.length > 40)];
}

async function contents(path: string): Promise<Map<string, string>> {
  const parts = new Map<string, string>();
  const archive = extract();
  archive.end(readFileSync(path));
  for await (const entry of archive) {
    const slices: Buffer[] = [];
    for await (const slice of entry) slices.push(slice as Buffer);
    parts.set(entry.header.name.replace("cyberbackup-support/", ""), Buffer.concat(slices).toString());
  }
  return parts;
}
