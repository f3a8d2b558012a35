// The document says what the server does: every route of every table is in it and is mounted, and the document is valid OpenAPI 3.1.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { bodyOf, callerAt, placeOf } from "./people-kit.ts";
import { type Rig, startRig } from "./rig.ts";
import { allRoutes } from "./route-tables.ts";

type Operation = {
  operationId: string;
  security: Record<string, unknown>[];
  parameters: { name: string; in: string }[];
};
type Document = { openapi: string; paths: Record<string, Record<string, Operation>> };

async function documentOf(rig: Rig): Promise<Document> {
  return bodyOf<Document>(await callerAt(placeOf(rig)).call("GET", "/api/openapi.json"));
}

describe("/api/openapi.json", () => {
  test("is valid OpenAPI 3.1", async () => {
    await using rig = await startRig();
    const document = await documentOf(rig);
    const validator = new Validator();
    const result = await validator.validate(structuredClone(document));
    assert.deepEqual([result.valid, result.errors ?? []], [true, []]);
    assert.equal(validator.version, "3.1");
    const broken = structuredClone(document) as unknown as { paths: Record<string, Record<string, object>> };
    broken.paths["/api/v4/me"]!.get = { responses: { nonsense: 1 } };
    assert.equal((await new Validator().validate(broken)).valid, false, "the validator does look");
  });

  test("has every route of every table, each under one name, and no other", async () => {
    await using rig = await startRig();
    const { paths } = await documentOf(rig);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
    );
    const wanted = (await allRoutes()).map(({ name, route }) => `${route.method} ${route.path} ${name}`);
    assert.deepEqual(described.sort(), wanted.sort());
    const names = described.map((line) => line.split(" ")[2]);
    assert.equal(new Set(names).size, names.length);
  });

  test("is sent again only when it has changed", async () => {
    await using rig = await startRig();
    const caller = callerAt(placeOf(rig));
    const tag = String((await caller.call("GET", "/api/openapi.json")).headers.etag);
    const again = await caller.call("GET", "/api/openapi.json", undefined, { "if-none-match": tag });
    assert.deepEqual([again.status, again.body.length], [304, 0]);
    bodyOf(await caller.call("GET", "/api/openapi.json", undefined, { "if-none-match": '"other"' }));
  });

  test("says who may call, and names every parameter", async () => {
    await using rig = await startRig();
    const { paths } = await documentOf(rig);
    for (const { name, route } of await allRoutes()) {
      const operation = paths[route.path]?.[route.method.toLowerCase()];
      assert.ok(operation, name);
      assert.equal(operation.security.length === 0, route.who.includes("anyone"), name);
      const inPath = operation.parameters
        .filter((parameter) => parameter.in === "path")
        .map((parameter) => parameter.name);
      assert.deepEqual(
        inPath,
        [...route.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter),
        name,
      );
    }
  });
});
