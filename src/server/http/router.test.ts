import assert from "node:assert/strict";
import { test } from "node:test";
import type { Route } from "../../wire/v4/api/route.ts";
import type { Mounted } from "./call.ts";
import { router } from "./router.ts";

function mounted(method: Route["method"], path: string): Mounted {
  const route: Route = { method, path, who: ["anyone"], summary: "x", answer: { kind: "empty" } };
  return { name: `${method} ${path}`, route, handle: () => undefined };
}

const ROUTES = [
  mounted("GET", "/a/{vault}"),
  mounted("GET", "/a/{vault}/b/{n}"),
  mounted("PUT", "/a/{vault}/b/{n}"),
  mounted("GET", "/a/fixed"),
];
const find = router(ROUTES);

test("a path finds its route, a literal before a parameter, with parameters decoded", () => {
  const name = (path: string) => {
    const found = find("GET", path);
    return found.kind === "route" ? [found.mounted.name, found.params] : found.kind;
  };
  assert.deepEqual(name("/a/x%2Fy"), ["GET /a/{vault}", { vault: "x/y" }]);
  assert.deepEqual(name("/a/fixed"), ["GET /a/fixed", {}]);
  assert.deepEqual(name("/a/x/b/7"), ["GET /a/{vault}/b/{n}", { vault: "x", n: "7" }]);
});

test("other paths find nothing, whatever they try", () => {
  for (const path of [
    "",
    "/",
    "/a",
    "/a/",
    "/a//b/7",
    "/a/x/b/7/",
    "/A/x",
    "a/x",
    "/a/%ff",
    "/a/x/../y",
    "/a/x/b",
    "/__proto__",
  ]) {
    assert.equal(find("GET", path).kind, "none", path);
  }
});

test("another method is told which there are", () => {
  assert.deepEqual(find("DELETE", "/a/x/b/7"), { kind: "method", allowed: ["GET", "PUT"] });
});

test("two routes that are the same are a mistake", () => {
  assert.throws(() => router([...ROUTES, mounted("GET", "/a/{session}")]), /twice/);
});
