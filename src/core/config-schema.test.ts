import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import {
  CONFIG,
  CONFIG_KEYS,
  configSchema,
  envName,
  flagName,
  isConfigKey,
  LIMITS,
  PORTS,
  suggest,
} from "./config-schema.ts";

const defaults = { ...Object.fromEntries(CONFIG_KEYS.map((key) => [key, CONFIG[key].default])), home: "/home" };

describe("the table of settings", () => {
  for (const key of CONFIG_KEYS) {
    const setting = CONFIG[key];

    test(`${key} has a default that fits its schema, or none`, () => {
      assert.equal(setting.schema.safeParse(setting.default).success, true);
    });

    test(`${key} says what it is`, () => {
      assert.match(setting.description, /^[A-Z].*\.$/);
      assert.notEqual(setting.accepts, "");
      assert.ok(setting.sources.length > 0);
    });
  }

  test("a secret comes from the environment only", () => {
    const secrets = CONFIG_KEYS.filter((key) => CONFIG[key].secret);
    for (const key of ["passphrase", "accountPassword"] as const) assert.ok(secrets.includes(key), key);
    for (const key of secrets) assert.deepEqual(CONFIG[key].sources, ["env"]);
  });

  test("every flag and variable has a name of its own", () => {
    assert.equal(new Set(CONFIG_KEYS.map(envName)).size, CONFIG_KEYS.length);
    assert.equal(new Set(CONFIG_KEYS.map(flagName)).size, CONFIG_KEYS.length);
    assert.deepEqual(
      [envName("packSizeMiB"), flagName("packSizeMiB"), envName("uploadLimitKiBps"), flagName("uploadLimitKiBps")],
      ["CYBERBACKUP_PACK_SIZE_MIB", "--pack-size-mib", "CYBERBACKUP_UPLOAD_LIMIT_KIBPS", "--upload-limit-kibps"],
    );
    assert.deepEqual([envName("home"), flagName("passphraseFile")], ["CYBERBACKUP_HOME", "--passphrase-file"]);
  });

  test("the schema takes the defaults and refuses unknown keys and wrong types", () => {
    assert.equal(configSchema.safeParse(defaults).success, true);
    for (const wrong of [
      { nope: 1 },
      { workers: "2" },
      { workers: 1.5 },
      { workers: -1 },
      { color: "pink" },
      { vault: "" },
    ]) {
      assert.equal(configSchema.safeParse({ ...defaults, ...wrong }).success, false, JSON.stringify(wrong));
    }
  });

  test("inherited names are no keys", () => {
    for (const name of ["constructor", "toString", "__proto__"]) assert.equal(isConfigKey(name), false);
  });

  test("numbers are read from whole decimal digits only", () => {
    const { parse, schema } = CONFIG.workers;
    assert.equal(parse("12"), 12);
    for (const text of ["", " 1", "1e3", "0x10", "-1", "1.5", "9".repeat(400)]) {
      assert.equal(schema.safeParse(parse(text)).success, false, text);
    }
  });

  test("ports differ and limits are positive", () => {
    const ports = Object.values(PORTS).map(({ value }) => value);
    assert.deepEqual(ports, [...new Set(ports)]);
    for (const { value } of Object.values(LIMITS)) assert.ok(value > 0);
  });
});

describe("suggest", () => {
  for (const [typed, meant] of [
    ["wrokers", "workers"],
    ["passPhraseFile", "passphraseFile"],
    ["packsize", "packSizeMiB"],
    ["colour", "color"],
    ["valut", "vault"],
    ["xyzzyxyzzy", undefined],
    ["", undefined],
  ] as const) {
    test(`takes "${typed}" for ${meant}`, () => assert.equal(suggest(typed), meant));
  }

  test("finds a key with one letter lost, doubled or swapped", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CONFIG_KEYS),
        fc.nat(20),
        fc.constantFrom("lose", "double", "swap"),
        (key, at, how) => {
          const i = at % (key.length - 1);
          const [before, a, b, after] = [key.slice(0, i), key[i], key[i + 1], key.slice(i + 2)];
          const typed = { lose: before + b + after, double: before + a + a + b + after, swap: before + b + a + after }[
            how
          ];
          // A short key may be as near to another one: smtpa is smtp or smtpCa.
          const [own, found] = [suggest(typed, [key]), suggest(typed)];
          assert.ok(own === key && found !== undefined && (found === key || found.length <= key.length), typed);
        },
      ),
    );
  });
});
