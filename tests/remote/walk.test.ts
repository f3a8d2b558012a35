// Every command on a vault behind a server, over TLS: what works with a folder works with a server.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { newPlace, type Place } from "../cli/run-cli.ts";
import { walk } from "../cli/walk.ts";
import { CliServer, logIn } from "./cli-server.ts";

const folder = newPlace();
const server = new CliServer(folder.folder);
const place: Place = {
  ...folder,
  get vault() {
    return `${server.origin}/home`;
  },
};

walk({
  place,
  async prepare() {
    await server.start();
    await server.addOwner();
    await logIn(place, server);
  },
  async remove() {
    await server.stop();
    folder.remove();
  },
  async loseIndex() {
    await server.stop();
    const vaults = join(server.data, "vaults");
    const [only, ...others] = readdirSync(vaults);
    assert.ok(only && others.length === 0);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(vaults, only, `index.db${suffix}`), { force: true });
    await server.start();
  },
  strangerExit: 16,
  async account() {
    return { CYBERBACKUP_API_KEY: apiKeyOf(place), CYBERBACKUP_SERVER_PIN: server.pin };
  },
});

function apiKeyOf({ home }: Place): string {
  const [file] = readdirSync(join(home, "servers"));
  return (JSON.parse(readFileSync(join(home, "servers", file!), "utf8")) as { login: { key: string } }).login.key;
}
