import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AppError, ERRORS, type ErrorCode, type ErrorSpec, EXIT, isAppError, throwIfAborted } from "./errors.ts";

describe("the table of errors", () => {
  for (const [code, spec] of Object.entries(ERRORS) as [ErrorCode, ErrorSpec][]) {
    test(`${code} is complete`, () => {
      assert.match(code, /^[a-z][a-z0-9]*(_[a-z]+)*$/);
      assert.match(spec.message, /^([A-Z{]).*([.}])$/s);
      assert.match(spec.hint, /^([A-Z{]).*([.}])$/s);
      assert.ok(Object.values<number>(EXIT).includes(spec.exit), "its exit code has a name");
      assert.notEqual(spec.exit, EXIT.ok);
      assert.ok(spec.http >= 400 && spec.http < 600);
    });
  }

  test("exit codes differ and fit a byte", () => {
    const codes = Object.values<number>(EXIT);
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) assert.ok(code >= 0 && code <= 255);
  });
});

describe("AppError", () => {
  test("fills its message and hint from the context", () => {
    const error = new AppError("vault_not_found", { context: { path: "/v" } });
    assert.equal(error.message, "There is no vault at /v.");
    assert.match(error.hint, /init --vault \/v/);
    assert.deepEqual([error.exit, error.retry, error.name], [EXIT.noVault, false, "AppError"]);
  });

  test("leaves a name without a value as it is, and fills values in once only and literally", () => {
    assert.equal(new AppError("vault_not_found").message, "There is no vault at {path}.");
    assert.equal(
      new AppError("internal", { context: { detail: "{detail} $& {path}", path: "x" } }).message.endsWith(
        "{detail} $& {path}",
      ),
      true,
    );
    assert.equal(new AppError("pack_corrupt", { context: { pack: 0, detail: "" } }).message, "Pack 0 is damaged: ");
  });

  test("keeps its cause, and has none when none is given", () => {
    const cause = new Error("why");
    assert.equal(new AppError("io", { cause }).cause, cause);
    assert.equal("cause" in new AppError("io"), false);
  });

  test("is told from other errors, and from other codes", () => {
    const error: unknown = new AppError("limit");
    assert.deepEqual([isAppError(error), isAppError(error, "limit"), isAppError(error, "io")], [true, true, false]);
    assert.deepEqual(
      [isAppError(new Error("x")), isAppError({ code: "limit" }), isAppError(undefined)],
      [false, false, false],
    );
  });
});

describe("throwIfAborted", () => {
  test("throws once the signal has fired, with its reason as the cause", () => {
    const controller = new AbortController();
    throwIfAborted(undefined);
    throwIfAborted(controller.signal);
    controller.abort("enough");
    assert.throws(
      () => throwIfAborted(controller.signal),
      (error) => isAppError(error, "interrupted") && error.cause === "enough" && error.exit === EXIT.interrupted,
    );
  });
});
