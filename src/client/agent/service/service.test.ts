// What `agent install` writes must be what each service manager understands, also where paths hold what their syntax means something by.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { makeService, serviceKind } from "./service.ts";
import type { ServiceInput } from "./systemd.ts";

const INPUT: ServiceInput = {
  argv: ["/opt/node/bin/node", "/opt/cyber backup/main.ts", "agent", "run"],
  home: '/home/ann/100% "mine"/$x',
  vaults: ["/mnt/disk/vault"],
  isSystem: false,
  env: { CYBERBACKUP_CONFIG: "/etc/cb.json" },
};
const PLACE = { userHome: "/home/ann", env: {} };

/** Sections and their keys, of a unit file. */
function unit(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    if (/^\[\w+\]$/.test(line)) section = line.slice(1, -1);
    else {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      assert.ok(key !== undefined && section !== "", line);
      found.set(`${section}.${key}`, [...(found.get(`${section}.${key}`) ?? []), value!]);
    }
  }
  return found;
}

test("systemd: one that may read everything and write its own, for a user and for the machine", () => {
  const own = makeService("systemd", INPUT, PLACE);
  assert.equal(own.path, "/home/ann/.config/systemd/user/cyberbackup-agent.service");
  const fields = unit(own.text);
  assert.deepEqual(fields.get("Service.ExecStart"), ['/opt/node/bin/node "/opt/cyber backup/main.ts" agent run']);
  assert.deepEqual(fields.get("Service.Environment"), [
    "CYBERBACKUP_CONFIG=/etc/cb.json",
    String.raw`"CYBERBACKUP_HOME=/home/ann/100%% \"mine\"/$$x"`,
  ]);
  assert.deepEqual(fields.get("Service.ProtectSystem"), ["strict"]);
  assert.deepEqual(fields.get("Service.ReadWritePaths"), [
    String.raw`"-/home/ann/100%% \"mine\"/$$x" -/mnt/disk/vault`,
  ]);
  assert.ok(!fields.has("Service.CapabilityBoundingSet") && !fields.has("Service.MemoryDenyWriteExecute"));
  assert.deepEqual(fields.get("Install.WantedBy"), ["default.target"]);
  assert.match(own.text, /LoadCredential=/);

  const machine = makeService("systemd", { ...INPUT, isSystem: true }, PLACE);
  assert.equal(machine.path, "/etc/systemd/system/cyberbackup-agent.service");
  const system = unit(machine.text);
  assert.deepEqual(system.get("Service.ProtectHome"), ["read-only"]);
  assert.match(system.get("Service.CapabilityBoundingSet")![0]!, /CAP_DAC_READ_SEARCH/);
  assert.ok(machine.start.every((line) => line.startsWith("sudo ")));
});

test("launchd: a property list that says what to run, again when it fails", () => {
  const { path, text, start } = makeService(
    "launchd",
    { ...INPUT, home: "/Users/ann/a & <b>" },
    { ...PLACE, userHome: "/Users/ann" },
  );
  assert.equal(path, "/Users/ann/Library/LaunchAgents/org.cyberbackup.agent.plist");
  const strings = [...text.matchAll(/<string>(.*?)<\/string>/g)].map(([, value]) => value);
  assert.deepEqual(strings.slice(1, 5), INPUT.argv);
  assert.ok(strings.includes("/Users/ann/a &amp; &lt;b&gt;"));
  assert.match(text, /<key>SuccessfulExit<\/key>\s*<false\/>/);
  assert.deepEqual(openTags(text), []);
  assert.match(start[0]!, /launchctl bootstrap gui/);
});

test("Windows: a task that starts with the user or the machine and is never ended by a clock", () => {
  const input = {
    ...INPUT,
    argv: ["C:\\Program Files\\node.exe", "C:\\cb\\main.ts", "agent", "run"],
    home: "C:\\Users\\ann\\Cyber Backup\\",
  };
  const { path, text, encoding } = makeService("windows", input, PLACE);
  assert.equal(path, "C:\\Users\\ann\\Cyber Backup\\agent-task.xml");
  assert.equal(encoding, "utf16le");
  assert.match(text, /<Command>C:\\Program Files\\node.exe<\/Command>/);
  // Backslashes before the closing quote are doubled (CommandLineToArgvW).
  assert.ok(
    text.includes(String.raw`<Arguments>C:\cb\main.ts agent run --home "C:\Users\ann\Cyber Backup\\"</Arguments>`),
  );
  assert.match(text, /<LogonTrigger>/);
  assert.match(text, /<ExecutionTimeLimit>PT0S</);
  assert.deepEqual(openTags(text), []);
  assert.match(makeService("windows", { ...input, isSystem: true }, PLACE).text, /<BootTrigger>[\s\S]*S-1-5-18/);
});

test("each system has its kind", () => {
  assert.deepEqual(["linux", "freebsd", "darwin", "win32"].map(serviceKind), [
    "systemd",
    "systemd",
    "launchd",
    "windows",
  ]);
});

/** Tags that are not closed, or closed in the wrong order. */
function openTags(xml: string): string[] {
  const open: string[] = [];
  for (const [, slash, name, self] of xml.matchAll(/<(\/?)([A-Za-z]+)[^>]*?(\/?)>/g)) {
    if (self) continue;
    if (!slash) open.push(name!);
    else if (open.at(-1) === name) open.pop();
    else open.push(`/${name}`);
  }
  return open;
}

test("the units in deploy/agent are what is installed", () => {
  for (const isSystem of [true, false]) {
    const home = isSystem ? "/var/lib/cyberbackup" : "%h/.local/share/cyberbackup";
    const input = { argv: ["/usr/bin/cyberbackup", "agent", "run"], home, vaults: [], isSystem, env: {} };
    const path = `../../../../deploy/agent/cyberbackup-agent${isSystem ? "" : ".user"}.service`;
    // A unit that is shared names the home of whoever uses it by a specifier.
    const { text } = makeService("systemd", input, PLACE);
    assert.equal(readFileSync(new URL(path, import.meta.url), "utf8"), text.replaceAll("%%h", "%h"));
  }
});
