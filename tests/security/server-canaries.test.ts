// What whoever runs a server can find: canaries are planted in names, contents, plans, tags and the passphrase of backups that go to a
// server in a process of its own. Then everything is searched for them, and for every key: the server's data folder with its
// databases, what it said, all that crossed the wire inside of TLS, and the memory of its process.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runBackup } from "../../src/client/backup.ts";
import { createNewVault } from "../../src/client/device.ts";
import { enrol } from "../../src/client/enrol.ts";
import { openHome } from "../../src/client/home.ts";
import { httpsTransport, socketTransport } from "../../src/client/http/node-transport.ts";
import { nodePlatform } from "../../src/client/platform.ts";
import { nativeScryptRecipient } from "../../src/client/scrypt-identity.ts";
import { unlock } from "../../src/client/unlock.ts";
import { concatBytes, utf8 } from "../../src/core/bytes.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { silentLogger } from "../../src/core/log.ts";
import { importSigner } from "../../src/crypto/signature.ts";
import { invite } from "../../src/engine/enrol/invite.ts";
import { makeKeyslot } from "../../src/engine/enrol/new-vault.ts";
import { signStatement } from "../../src/engine/enrol/statements.ts";
import { readFile } from "../../src/engine/reader/file-content.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { resolveSnapshot } from "../../src/engine/reader/resolve.ts";
import { rootOf } from "../../src/engine/reader/search.ts";
import { listSnapshots } from "../../src/engine/reader/snapshots.ts";
import { walkTree } from "../../src/engine/reader/walk.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { type Credentials, deviceCredentials, nobody } from "../../src/engine/remote/credentials.ts";
import { RemoteAdmin } from "../../src/engine/remote/remote-admin.ts";
import { openRemoteVault } from "../../src/engine/remote/remote-vault.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import type { HttpAnswer, HttpRequest, HttpTransport } from "../../src/engine/remote/transport.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { decodeInviteCode } from "../../src/wire/v4/invite-code.ts";
import { ENTRY } from "../../src/wire/v4/tree-types.ts";
import { endOf, firstLine } from "../child.ts";
import { newPlace, type Place, start } from "../cli/run-cli.ts";

const CANARY = "kanarienvogel";
const PASSPHRASE = `${CANARY} sings at noon`;
const NEEDLE_OVERLAP = 4096;

test("a server and whoever runs it learn no name, no content and no key", async () => {
  const place = newPlace();
  const server = await Served.start(place);
  const wire = new Wire();
  try {
    const secrets = await useServer(place, server, wire);
    const needles: Needle[] = [
      ...[CANARY, CANARY.toUpperCase(), PASSPHRASE].flatMap((text) => [
        { what: text, bytes: Buffer.from(text) },
        { what: `${text} in UTF-16`, bytes: Buffer.from(text, "utf16le") },
      ]),
      ...secrets,
    ];
    const memory = server.memory();
    assert.ok(
      memory.length === 0 || memory.some((part) => part.includes("CyberBackup server")),
      "the memory is not the server's",
    );
    const said = await server.stop();
    assert.ok(said.includes("commit"), "the server said nothing");
    const files = filesBelow(server.data);
    assert.ok(files.some((name) => name.endsWith("server.db")) && files.length > 10);
    const crossed = Buffer.from(concatBytes(wire.crossed));
    assert.ok(crossed.length > 100_000);
    for (const { what, bytes } of needles) {
      for (const file of files) assert.ok(!readFileSync(file).includes(bytes), `${file} holds ${what}`);
      assert.ok(!said.includes(bytes.toString("latin1")), `the server said ${what}`);
      assert.ok(!crossed.includes(bytes), `${what} crossed the wire`);
      assert.ok(!memory.some((part) => part.includes(bytes)), `the server's memory holds ${what}`);
    }
    // The search finds what is there: the name of the vault, which is no secret, is in all of them.
    assert.ok(crossed.includes("open-name"));
    assert.ok(memory.length === 0 || memory.some((part) => part.includes("open-name")));
  } finally {
    await server.stop();
    place.remove();
  }
});

type Needle = { readonly what: string; readonly bytes: Buffer };

/** All that people and devices do with a server; answers every secret that was in play. */
async function useServer(place: Place, server: Served, wire: Wire): Promise<Needle[]> {
  const local = wire.tap(socketTransport(server.socket));
  const owner = client(local, nobody);
  const home = openHome(join(place.folder, "first"), silentLogger);
  const { vaultId, recoveryIdentity } = await createNewVault({
    create: async ({ record, statements, keyslotFiles }) => {
      const wireStatements = statements.map(({ type, body, by, sig }) => ({
        type,
        body,
        by: by ?? null,
        sig: sig ?? null,
      }));
      const body = { name: "open-name", record, statements: wireStatements, keyslotFiles: [...keyslotFiles] };
      await owner.call(VAULT_ROUTES.makeVault, { body });
      return openRemoteVault({ client: owner, name: "open-name", vaultId: undefined });
    },
    ...{ passphrase: PASSPHRASE, home, deviceName: "laptop", clock: systemClock, random: systemRandom, logN: 10 },
  });
  const first = await home.requireDevice(vaultId);
  const address = `${server.origin}/open-name`;
  const invitation = {
    api: owner,
    vault: vaultId,
    writer: first.writer,
    address,
    pin: server.pin,
    name: "desk",
    hours: 1,
  };
  const code = decodeInviteCode((await invite({ ...invitation, random: systemRandom })).code);

  const transport = wire.tap(httpsTransport({ origin: server.origin, pin: code.pin }));
  const otherHome = openHome(join(place.folder, "second"), silentLogger);
  const { device } = await enrol({ api: client(transport, nobody), home: otherHome, code, name: "desk" });
  const signer = await importSigner(device.signingKey);
  const credentials = deviceCredentials({ transport, vault: vaultId, signer, clock: systemClock });
  const vault = await openRemoteVault({ client: client(transport, credentials), name: "open-name", vaultId });

  const data = canaryFolder(place);
  const backup = (compressionLevel: number) =>
    runBackup({
      vault,
      device: { writer: device.writer, signer },
      statePath: undefined,
      paths: [data],
      plan: `${CANARY}-plan`,
      tags: [`${CANARY}-tag`],
      excluder: undefined,
      oneFileSystem: false,
      ...{ compressionLevel, dryRun: false, force: true, workers: 1, packBytes: 2 ** 20 },
      program: "test",
      signal: undefined,
      logger: silentLogger,
    });
  await backup(3);
  writeFileSync(join(data, "more"), `${CANARY}\n`.repeat(20_000));
  const { snapshot } = await backup(0);

  const secrets = await unlock({ vault, passphrase: PASSPHRASE });
  const reader = openReader({ vault, secrets, platform: nodePlatform });
  assert.equal((await listSnapshots(reader)).length, 2);
  let read = 0;
  for await (const { path, entry } of walkTree(reader, rootOf(await resolveSnapshot(reader, "latest")))) {
    if (entry.type === ENTRY.file) for await (const slice of readFile(reader, { path, entry })) read += slice.length;
  }
  assert.ok(read > 200_000);

  const admin = new RemoteAdmin({ api: owner, vault: vaultId });
  const lock = { passphrase: `${PASSPHRASE} twice`, logN: 10 };
  const slot = await makeKeyslot({
    scrypt: nativeScryptRecipient,
    secrets,
    vaultId,
    signer,
    lock,
    kind: "passphrase",
    label: "second",
  });
  await admin.apply(slot.statement, slot.file);
  await admin.apply(await signStatement(signer, vaultId, "remove", { snapshot: snapshot! }));
  await admin.check({ readData: true });
  await admin.collectGarbage({ trashMs: 0 });
  await transport.close();
  await local.close();

  const { chunkIdKey, chunkerKey, metaKey } = device.writer;
  const raw = { chunkIdKey, chunkerKey, metaKey, "the invitation's key": code.key, "a signing key": device.signingKey };
  return [
    { what: "the reader's identity", bytes: Buffer.from(secrets.identity) },
    { what: "the recovery key", bytes: Buffer.from(recoveryIdentity) },
    ...Object.entries(raw).flatMap(([what, bytes]) => [
      { what, bytes: Buffer.from(bytes) },
      { what: `${what} in base64`, bytes: Buffer.from(bytes.toBase64()) },
      { what: `${what} in hex`, bytes: Buffer.from(bytes.toHex()) },
    ]),
  ];
}

function client(transport: HttpTransport, credentials: Credentials): ApiClient {
  return new ApiClient({ transport, credentials, retrier: new Retrier({ clock: systemClock, random: systemRandom }) });
}

function canaryFolder({ folder }: Place): string {
  const data = join(folder, `${CANARY}-folder`);
  mkdirSync(data);
  writeFileSync(join(data, `${CANARY}-name.txt`), "plain");
  writeFileSync(join(data, "content.txt"), `${CANARY} `.repeat(2000));
  writeFileSync(join(data, "short.txt"), CANARY);
  symlinkSync(`/somewhere/${CANARY}`, join(data, "link"));
  return data;
}

/** Keeps everything that a transport sends and gets: what TLS would show to whoever ends it. */
class Wire {
  readonly crossed: Uint8Array[] = [];

  tap(transport: HttpTransport): HttpTransport {
    const send = (through: Pick<HttpTransport, "send">) => (request: HttpRequest) => this.#send(through, request);
    return {
      origin: transport.origin,
      send: send(transport),
      async bind(signal) {
        const connection = await transport.bind(signal);
        return { ...connection, send: send(connection) };
      },
      close: () => transport.close(),
    };
  }

  async #send(through: Pick<HttpTransport, "send">, request: HttpRequest): Promise<HttpAnswer> {
    const { method, path, headers, body } = request;
    this.crossed.push(utf8(`${method} ${path}\n${JSON.stringify(headers)}\n`));
    if (body) this.crossed.push(body instanceof Uint8Array ? body.slice() : concatBytes([...body.slices()]));
    const answer = await through.send(request);
    const { crossed } = this;
    async function* kept(): AsyncGenerator<Uint8Array> {
      for await (const slice of answer.body) {
        crossed.push(slice.slice());
        yield slice;
      }
    }
    return { status: answer.status, header: (name) => answer.header(name), body: kept() };
  }
}

/** `cyberbackup serve` in a process of its own. */
class Served {
  readonly data: string;
  readonly origin: string;
  readonly pin: Uint8Array<ArrayBuffer>;
  readonly socket: string;
  readonly #process: ChildProcess;
  readonly #said: string[];

  private constructor(process: ChildProcess, data: string, said: string[], hello: Record<string, string>) {
    this.#process = process;
    this.data = data;
    this.#said = said;
    this.origin = `https://127.0.0.1:${hello.port}`;
    this.pin = Uint8Array.fromHex(hello.fingerprint!);
    this.socket = hello.socket!;
  }

  static async start(place: Place): Promise<Served> {
    const data = join(place.folder, "server");
    const process = start(
      place,
      ["serve", "--data", data, "--listen", "127.0.0.1:0", "--json", "--log-level", "debug"],
      {
        env: { CYBERBACKUP_PASSPHRASE: undefined, CYBERBACKUP_VAULT: undefined },
      },
    );
    const said: string[] = [];
    process.stdout!.setEncoding("latin1").on("data", (text: string) => said.push(text));
    process.stderr!.setEncoding("latin1").on("data", (text: string) => said.push(text));
    return new Served(process, data, said, JSON.parse(await firstLine(process)) as Record<string, string>);
  }

  /** What its process can write to, in parts that overlap; nothing where a system does not show it. */
  memory(): Buffer[] {
    if (process.platform !== "linux") return [];
    const { pid } = this.#process;
    const parts: Buffer[] = [];
    const file = openSync(`/proc/${pid}/mem`, "r");
    try {
      for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
        const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
        if (!range) continue;
        const [from, to] = [Number.parseInt(range[1]!, 16), Number.parseInt(range[2]!, 16)];
        for (let at = from; at < to; at += PART_BYTES)
          parts.push(readPart(file, at, Math.min(to, at + PART_BYTES + NEEDLE_OVERLAP)));
      }
    } finally {
      closeSync(file);
    }
    return parts;
  }

  async stop(): Promise<string> {
    this.#process.kill("SIGTERM");
    await endOf(this.#process);
    return this.#said.join("");
  }
}

const PART_BYTES = 2 ** 22;

/** Pages that are not there are none. */
function readPart(file: number, from: number, to: number): Buffer {
  const part = Buffer.alloc(to - from);
  try {
    return part.subarray(0, readSync(file, part, 0, part.length, from));
  } catch {
    return Buffer.alloc(0);
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
