// How the page is served: types, caching, policy, and nothing but the page.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PAGE_FOLDER } from "../../scripts/build-page.ts";
import { ask, type Rig, startRig } from "../server/rig.ts";
import { builtPage } from "./page-build.ts";

let rig: Rig;
before(async () => {
  await builtPage();
  rig = await startRig({ settings: { web: true, listen: { host: "127.0.0.1", port: 0 } } });
});
after(() => rig?.[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  ask({ port: rig.server.httpPort! }, path, { method, headers });

test("the page comes with a policy that lets no text become code, and is asked for anew each time", async () => {
  const first = await get("/");
  assert.equal(first.status, 200);
  assert.equal(first.headers["content-type"], "text/html; charset=utf-8");
  assert.equal(first.headers["cache-control"], "no-cache");
  const policy = String(first.headers["content-security-policy"]);
  const rules = new Map(policy.split("; ").map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1)]));
  assert.deepEqual(rules.get("default-src"), ["'none'"]);
  assert.deepEqual(rules.get("script-src"), ["'self'", "'wasm-unsafe-eval'"]);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|https?:/);
  const nonce = /'nonce-([^']+)'/.exec(policy)![1]!;
  assert.match(first.body.toString(), new RegExp(`nonce="${nonce.replace(/[+/]/g, "\\$&")}"`));
  assert.doesNotMatch(first.body.toString(), /<script(?![^>]* src=)|<style|style=|%NONCE%/);
  assert.equal(first.headers["cross-origin-opener-policy"], "same-origin");
  assert.equal(first.headers["cross-origin-embedder-policy"], "require-corp");
  const again = await get("/", { "if-none-match": first.headers.etag! });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  assert.equal(again.headers["content-security-policy"], policy);
});

test("files with a hash in their names are kept for good, compressed where the browser takes it", async () => {
  const [script] = globSync("assets/*.js", { cwd: PAGE_FOLDER });
  const plain = await get(`/${script}`);
  assert.equal(plain.headers["content-type"], "text/javascript; charset=utf-8");
  assert.equal(plain.headers["cache-control"], "public, max-age=31536000, immutable");
  assert.equal(plain.body.length, statSync(join(PAGE_FOLDER, script!)).size);
  for (const encoding of ["br", "gzip"]) {
    const coded = await get(`/${script}`, { "accept-encoding": encoding });
    assert.equal(coded.headers["content-encoding"], encoding);
    assert.ok(coded.body.length < plain.body.length);
  }
});

test("nothing else of the disk is served", async () => {
  for (const path of [
    "/../package.json",
    "/assets/../../../package.json",
    "/%2e%2e/package.json",
    "/.inputs",
    "/.vite/manifest.json",
    "/assets",
    "/assets/",
    "/nothing.js",
    "/index.html/x",
    "//etc/passwd",
  ]) {
    assert.equal((await get(path)).status, 404, path);
  }
  assert.equal((await get("/", {}, "POST")).status, 405);
  assert.equal((await get("/api/v4/nothing")).status, 404);
});

test("the made authority is handed out, and is the one that devices pin", async () => {
  const { status, headers, body } = await get("/ca.crt");
  assert.deepEqual([status, headers["content-type"]], [200, "application/x-x509-ca-cert"]);
  const pin = new X509Certificate(body).fingerprint256.replaceAll(":", "").toLowerCase();
  assert.equal(pin, rig.server.kit.identity().pin);
  const reach = JSON.parse((await get("/api/v4/reach")).body.toString()) as Record<string, unknown>;
  assert.deepEqual(reach, {
    publicUrl: null,
    httpsPort: rig.server.port,
    httpPort: rig.server.httpPort,
    fingerprint: pin,
    hasAuthority: true,
    hasOwner: false,
    providers: [],
  });
});

test("a server without the page says so", async () => {
  await using bare = await startRig();
  const { status } = await ask({ port: bare.server.httpPort! }, "/");
  assert.equal(status, 404);
  assert.equal((await ask({ port: bare.server.httpPort! }, "/ca.crt")).status, 404);
});
