import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAppError } from "../../../core/errors.ts";
import { checkMessage } from "./coding.ts";
import { DEVICE_ROUTES } from "./device-routes.ts";
import { PEOPLE_ROUTES } from "./people-routes.ts";
import type { Route } from "./route.ts";

const rows: [string, Route][] = Object.entries(PEOPLE_ROUTES);

describe("routes of the people's API", () => {
  it("have one row for each method and path, none of them a device's", () => {
    const keys = [...Object.values(DEVICE_ROUTES), ...Object.values(PEOPLE_ROUTES)].map(
      ({ method, path }: Route) => `${method} ${path}`,
    );
    assert.equal(new Set(keys).size, keys.length);
  });

  it("let no device in", () => {
    for (const [name, { who }] of rows) assert.ok(!who.includes("device"), name);
  });

  it("bound every body", () => {
    for (const [name, { body }] of rows) assert.ok(body === undefined || body.maxBytes <= 16 * 1024, name);
  });

  it("ask a fresh second factor of whoever removes or changes accounts", () => {
    const guarded = rows.filter(([, { isGuarded }]) => isGuarded).map(([name]) => name);
    assert.deepEqual(guarded, ["editPerson", "removePerson", "personLink", "dropFactor"]);
  });

  it("take e-mail addresses in one spelling, and no others", () => {
    const { schema } = PEOPLE_ROUTES.addPerson.body;
    const given = checkMessage(schema, { email: "Anna@Example.ORG", name: "Anna" });
    assert.equal(given.email, "anna@example.org");
    for (const email of ["anna", "a@b@c", "a b@c", "<a@b>", `${"a".repeat(65)}@b`, ""]) {
      assert.throws(
        () => checkMessage(schema, { email, name: "Anna" }),
        (error) => isAppError(error, "request_invalid"),
        email,
      );
    }
  });
});
