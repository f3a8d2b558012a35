import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CONFIG, CONFIG_KEYS, type Config, PORTS } from "../core/config-schema.ts";
import { isAppError } from "../core/errors.ts";
import { serverSettings } from "./settings.ts";

function settings(changes: Partial<Config>) {
  const defaults = Object.fromEntries(CONFIG_KEYS.map((key) => [key, CONFIG[key].default]));
  return serverSettings({ ...defaults, home: "/home", ...changes } as Config);
}

describe("the server's settings", () => {
  it("are HTTPS for everybody and a plain door for this machine when nothing is said", () => {
    const { listen, listenHttp, isHttpOptional, data } = settings({});
    assert.deepEqual(listen, { host: "0.0.0.0", port: PORTS.deviceApi.value });
    assert.deepEqual([listenHttp, isHttpOptional], [{ host: "127.0.0.1", port: PORTS.server.value }, true]);
    assert.equal(data, "/home/server");
  });

  it("open no door beside one that somebody has named", () => {
    assert.equal(settings({ listen: "127.0.0.1:0" }).listenHttp, undefined);
    const { listenHttp, isHttpOptional } = settings({ listenHttp: "127.0.0.1:0" });
    assert.deepEqual([listenHttp, isHttpOptional], [{ host: "127.0.0.1", port: 0 }, false]);
  });

  it("leave TLS to a trusted proxy", () => {
    const { listen, listenHttp } = settings({ trustProxy: "on", publicUrl: "https://example.org/x" });
    assert.deepEqual([listen, listenHttp], [undefined, { host: "127.0.0.1", port: PORTS.server.value }]);
  });

  it("read addresses of both families", () => {
    assert.deepEqual(settings({ listen: "[::1]:0" }).listen, { host: "::1", port: 0 });
    assert.deepEqual(settings({ listen: ":0" }).listen, { host: "0.0.0.0", port: 0 });
  });

  it("read the secret of a sign-in provider from a file or the environment, and never both", () => {
    const folder = mkdtempSync(join(tmpdir(), "cb-oidc-"));
    try {
      const clientSecretFile = join(folder, "secret");
      writeFileSync(clientSecretFile, "canary secret\n");
      const issuer = "https://auth.example.org/.well-known/openid-configuration";
      const one = { id: "a", name: "A", issuer, clientId: "x" };
      const [byFile, byVariable] = settings({
        oidc: [
          { ...one, clientSecretFile },
          { ...one, id: "b" },
        ],
        oidcSecret: "another",
      }).oidc!;
      assert.deepEqual([byFile!.clientSecret, byVariable!.clientSecret], ["canary secret", "another"]);
      assert.deepEqual([byFile!.issuer, byFile!.newcomers], ["https://auth.example.org", null]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const provider = { id: "a", name: "A", issuer: "https://auth.example.org", clientId: "x" };
  const wrong: Partial<Config>[] = [
    { oidc: [provider, provider] },
    { oidc: [{ ...provider, issuer: "http://auth.example.org" }] },
    { oidc: [provider, { ...provider, id: "b" }], oidcSecret: "of which?" },
    { listen: "everywhere" },
    { listen: "127.0.0.1:65536" },
    { listenHttp: "0.0.0.0:0" },
    { tlsCert: "cert.pem" },
    { publicUrl: "example.org" },
  ];
  for (const changes of wrong) {
    it(`refuse ${JSON.stringify(changes)}`, () => {
      assert.throws(
        () => settings(changes),
        (error) => isAppError(error, "config_invalid"),
      );
    });
  }
});
