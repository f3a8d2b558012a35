import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isAppError } from "../core/errors.ts";
import { type ConfigInput, defaultHome, explainConfig, loadConfig, readTextIfThere } from "./config.ts";

const HOME = "/home/me/.local/share/cyberbackup";

function load(
  given: {
    env?: Record<string, string>;
    flags?: Record<string, unknown>;
    files?: Record<string, string>;
    platform?: string;
  } = {},
) {
  return loadConfig({
    env: given.env ?? {},
    flags: given.flags ?? {},
    platform: given.platform ?? "linux",
    userHome: "/home/me",
    readText: async (path) => given.files?.[path],
  });
}

async function complaint(given: Parameters<typeof load>[0]): Promise<string> {
  try {
    await load(given);
  } catch (error) {
    assert.ok(isAppError(error, "config_invalid"), String(error));
    return error.message;
  }
  return assert.fail("it was accepted");
}

describe("loadConfig", () => {
  test("has a value for every setting out of the box", async () => {
    const { values, origins, file, warnings } = await load();
    assert.equal(values.home, HOME);
    assert.equal(values.compression, "default");
    assert.equal(values.packSizeMiB, 32);
    assert.equal(values.passphrase, undefined);
    assert.deepEqual(new Set(Object.values(origins)), new Set(["default"]));
    assert.deepEqual([file, warnings], [undefined, []]);
  });

  test("lets flags win over the environment, the environment over the file, the file over defaults", async () => {
    const path = `${HOME}/config.json`;
    const files = { [path]: JSON.stringify({ workers: 1, cacheMiB: 1, packSizeMiB: 1 }) };
    const env = { CYBERBACKUP_WORKERS: "2", CYBERBACKUP_CACHE_MIB: "2" };
    const { values, origins, file } = await load({ files, env, flags: { workers: "3", color: undefined } });
    assert.deepEqual([values.workers, values.cacheMiB, values.packSizeMiB, values.uploadLimitKiBps], [3, 2, 1, 0]);
    assert.deepEqual(
      [origins.workers, origins.cacheMiB, origins.packSizeMiB, origins.color],
      ["flag --workers", "env CYBERBACKUP_CACHE_MIB", `file ${path}`, "default"],
    );
    assert.equal(file, path);
  });

  test("looks for the file in the home that flag or environment name", async () => {
    const files = { "/h/config.json": '{"vault":"/v"}' };
    assert.equal((await load({ files, env: { CYBERBACKUP_HOME: "/h" } })).values.vault, "/v");
    assert.equal((await load({ files, flags: { home: "/h" }, env: { CYBERBACKUP_HOME: "/x" } })).values.vault, "/v");
    assert.equal((await load({ files })).values.vault, undefined);
  });

  test("reads the file that CYBERBACKUP_CONFIG names, and wants it to be there", async () => {
    const env = { CYBERBACKUP_CONFIG: "/etc/cb.json" };
    assert.equal((await load({ env, files: { "/etc/cb.json": '\ufeff{"workers":4}' } })).values.workers, 4);
    assert.match(await complaint({ env }), /\/etc\/cb\.json, which does not exist/);
  });

  test("takes an empty variable for one that is not set", async () => {
    assert.equal((await load({ env: { CYBERBACKUP_WORKERS: "", CYBERBACKUP_CONFIG: "" } })).values.workers, 0);
  });

  const inFile = (content: string) => complaint({ files: { [`${HOME}/config.json`]: content } });

  test("refuses a key that does not exist and says which one was meant", async () => {
    assert.match(await inFile('{"wrokers": 2}'), /"wrokers".*config\.json.*Did you mean "workers"\?/);
    assert.match(await inFile('{"__proto__": 2}'), /no setting "__proto__"/);
    assert.match(await complaint({ flags: { colour: "auto" } }), /Did you mean "color"\?/);
    assert.doesNotMatch(await inFile('{"passphrse": "x"}'), /"passphrase"/);
  });

  test("refuses a secret, and the home itself, in the file", async () => {
    assert.match(await inFile('{"passphrase": "hunter2"}'), /set CYBERBACKUP_PASSPHRASE/);
    assert.doesNotMatch(await inFile('{"passphrase": "hunter2"}'), /hunter2/);
    assert.match(await inFile('{"home": "/x"}'), /set CYBERBACKUP_HOME/);
    assert.match(await complaint({ flags: { passphrase: "hunter2" } }), /set CYBERBACKUP_PASSPHRASE/);
  });

  test("refuses a value that does not fit and says where it is from", async () => {
    assert.match(await inFile('{"workers": "2"}'), /workers \(file .*config\.json\)/);
    assert.match(await complaint({ env: { CYBERBACKUP_WORKERS: "many" } }), /workers \(env CYBERBACKUP_WORKERS\)/);
    assert.match(
      await complaint({ flags: { color: "pink", workers: 999 } }),
      /workers \(flag --workers\).*color \(flag --color\)/,
    );
    assert.match(await complaint({ flags: { home: "" } }), /home \(flag --home\)/);
  });

  test("refuses a file that is not one JSON object", async () => {
    for (const content of ["", "{", "[]", "null", "3", '{"workers": 1} // comment']) await inFile(content);
  });

  test("warns of variables that look like ours and are none", async () => {
    const { warnings } = await load({ env: { CYBERBACKUP_PASSPRHASE: "hunter2", OTHER: "x" } });
    assert.deepEqual(warnings, [
      "The variable CYBERBACKUP_PASSPRHASE is not known and has no effect. Did you mean CYBERBACKUP_PASSPHRASE?",
    ]);
  });
});

describe("explainConfig", () => {
  test("tells every setting, its value and its origin, and masks secrets", async () => {
    const rows = explainConfig(await load({ env: { CYBERBACKUP_PASSPHRASE: "hunter2" } }));
    const row = (key: string) => rows.find((each) => each.key === key);
    assert.equal(row("passphrase")?.value, "••••••");
    assert.equal(row("passphrase")?.origin, "env CYBERBACKUP_PASSPHRASE");
    assert.equal(row("workers")?.value, "0");
    assert.equal(row("vault")?.value, "");
    assert.doesNotMatch(JSON.stringify(rows), /hunter2/);
  });
});

describe("defaultHome", () => {
  const at = (platform: string, userHome: string, env: ConfigInput["env"] = {}) =>
    defaultHome({ platform, userHome, env });

  test("follows each platform's custom", () => {
    assert.equal(at("linux", "/home/me"), HOME);
    assert.equal(at("freebsd", "/home/me", { XDG_DATA_HOME: "/data" }), "/data/cyberbackup");
    assert.equal(at("linux", "/home/me", { XDG_DATA_HOME: "relative" }), HOME);
    assert.equal(at("darwin", "/Users/me"), "/Users/me/Library/Application Support/CyberBackup");
    assert.equal(at("win32", "C:\\Users\\me"), "C:\\Users\\me\\AppData\\Local\\CyberBackup");
    assert.equal(at("win32", "C:\\Users\\me", { LOCALAPPDATA: "D:\\L" }), "D:\\L\\CyberBackup");
  });
});

describe("readTextIfThere", () => {
  test("tells a missing file from one that cannot be read", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "cb-config-"));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "a"), "text");
    assert.equal(await readTextIfThere(join(folder, "a")), "text");
    assert.equal(await readTextIfThere(join(folder, "b")), undefined);
    await assert.rejects(readTextIfThere(folder), (error) => isAppError(error, "io"));
  });
});
