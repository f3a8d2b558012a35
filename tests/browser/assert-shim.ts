// What tests use of node:assert/strict, for browsers. It must judge as Node does: assert-shim.test.ts compares the two.
// Only what our tests call is here; messages are plain, without Node's coloured diff.

class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** What `throws` and `rejects` may check: a pattern of the text, a class, a test, or properties. */
type Expected = RegExp | (abstract new (...args: never[]) => unknown) | ((error: unknown) => unknown) | object;
type Message = string | Error | undefined;

export function ok(value: unknown, message?: Message): asserts value {
  if (!value) throw failure(message, `${show(value)} is not truthy`);
}

export function equal(actual: unknown, expected: unknown, message?: Message): void {
  if (!Object.is(actual, expected)) throw failure(message, `${show(actual)} is not ${show(expected)}`);
}

export function notEqual(actual: unknown, expected: unknown, message?: Message): void {
  if (Object.is(actual, expected)) throw failure(message, `it should not be ${show(expected)}`);
}

export function deepEqual(actual: unknown, expected: unknown, message?: Message): void {
  if (!isDeepEqual(actual, expected)) throw failure(message, `${show(actual)} does not equal ${show(expected)}`);
}

export function notDeepEqual(actual: unknown, expected: unknown, message?: Message): void {
  if (isDeepEqual(actual, expected)) throw failure(message, `it should not equal ${show(expected)}`);
}

export function match(text: string, pattern: RegExp, message?: Message): void {
  if (typeof text !== "string" || text.search(pattern) < 0) {
    throw failure(message, `${show(text)} does not match ${pattern}`);
  }
}

export function doesNotMatch(text: string, pattern: RegExp, message?: Message): void {
  if (typeof text !== "string" || text.search(pattern) >= 0) {
    throw failure(message, `${show(text)} should not match ${pattern}`);
  }
}

export function fail(message?: Message): never {
  throw failure(message, "failed");
}

export function throws(body: () => unknown, expected?: Expected | string, message?: string): void {
  let thrown: unknown;
  try {
    body();
  } catch (error) {
    thrown = error ?? new Error(String(error));
  }
  checkThrown(thrown, expected, message);
}

export function doesNotThrow(body: () => unknown, message?: string): void {
  try {
    body();
  } catch (error) {
    throw failure(message, `it threw ${show(error)}`);
  }
}

export async function rejects(
  body: Promise<unknown> | (() => Promise<unknown>),
  expected?: Expected | string,
  message?: string,
): Promise<void> {
  // A function that throws, rather than to give a promise that rejects, is the caller's error.
  const promise = typeof body === "function" ? body() : body;
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error ?? new Error(String(error)),
  );
  checkThrown(thrown, expected, message);
}

export async function doesNotReject(
  body: Promise<unknown> | (() => Promise<unknown>),
  message?: string,
): Promise<void> {
  const promise = typeof body === "function" ? body() : body;
  await promise.catch((error: unknown) => {
    throw failure(message, `it rejected with ${show(error)}`);
  });
}

function checkThrown(thrown: unknown, expected: Expected | string | undefined, message: string | undefined): void {
  const note = typeof expected === "string" ? expected : message;
  if (thrown === undefined) throw failure(note, "nothing was thrown");
  if (expected === undefined || typeof expected === "string") return;
  if (expected instanceof RegExp) {
    if (!expected.test(String(thrown))) throw failure(note, `${show(thrown)} does not match ${expected}`);
  } else if (typeof expected === "function") {
    const isClass = expected.prototype !== undefined && thrown instanceof expected;
    if (isClass) return;
    const isErrorClass = expected === Error || Object.prototype.isPrototypeOf.call(Error, expected);
    if (isErrorClass || (expected as (error: unknown) => unknown).call({}, thrown) !== true) {
      throw failure(note, `the check does not accept ${show(thrown)}`);
    }
  } else {
    const keys = Object.keys(expected);
    if (expected instanceof Error) keys.push("name", "message");
    for (const key of keys) {
      const [has, wants] = [(thrown as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key]];
      const fits = wants instanceof RegExp && typeof has === "string" ? wants.test(has) : isDeepEqual(has, wants);
      if (!fits) throw failure(note, `${key} of ${show(thrown)} is ${show(has)}, not ${show(wants)}`);
    }
  }
}

/** Node's isDeepStrictEqual, for what our tests compare. */
function isDeepEqual(a: unknown, b: unknown, seen = new Map<object, object>()): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || tagOf(a) !== tagOf(b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);

  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return sameBytes(bytesOf(a), bytesOf(b));
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return sameBytes(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Date && b instanceof Date && !Object.is(a.getTime(), b.getTime())) return false;
  if (a instanceof RegExp && b instanceof RegExp && String(a) !== String(b)) return false;
  if (a instanceof Error && b instanceof Error) {
    if (a.name !== b.name || a.message !== b.message || !isDeepEqual(a.cause, b.cause, seen)) return false;
  }
  if (isBoxed(a) && !Object.is(a.valueOf(), b.valueOf())) return false;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  if (a instanceof Set && b instanceof Set) {
    const rest = new Set(b);
    for (const value of a) {
      const twin = rest.has(value) ? value : [...rest].find((other) => isDeepEqual(value, other, seen));
      if (!rest.delete(twin)) return false;
    }
    if (rest.size > 0) return false;
  }
  if (a instanceof Map && b instanceof Map) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) {
      const twin = b.has(key) ? key : [...b.keys()].find((other) => isDeepEqual(key, other, seen));
      if (!b.has(twin) || !isDeepEqual(value, b.get(twin), seen)) return false;
    }
  }
  const [keysOfA, keysOfB] = [keysOf(a), keysOf(b)];
  return (
    keysOfA.length === keysOfB.length &&
    keysOfA.every((key) => Object.hasOwn(b, key) && isDeepEqual(Reflect.get(a, key), Reflect.get(b, key), seen))
  );
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function isBoxed(value: object): boolean {
  return value instanceof Number || value instanceof String || value instanceof Boolean;
}

function keysOf(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function failure(message: Message, reason: string): Error {
  if (message instanceof Error) return message;
  return new AssertionError(message === undefined ? reason : `${message} (${reason})`);
}

const LONGEST_SHOWN = 1000;

function show(value: unknown): string {
  let text: string;
  if (typeof value === "bigint") text = `${value}n`;
  else if (value instanceof Error) text = `${value.name}: ${value.message}`;
  else if (ArrayBuffer.isView(value)) text = `${value.constructor.name} [${bytesOf(value).subarray(0, LONGEST_SHOWN)}]`;
  else {
    try {
      text = JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? String(value);
    } catch {
      text = String(value);
    }
  }
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

const assert = Object.assign(ok.bind(undefined), {
  ok,
  equal,
  notEqual,
  strictEqual: equal,
  notStrictEqual: notEqual,
  deepEqual,
  notDeepEqual,
  deepStrictEqual: deepEqual,
  notDeepStrictEqual: notDeepEqual,
  match,
  doesNotMatch,
  fail,
  throws,
  doesNotThrow,
  rejects,
  doesNotReject,
  AssertionError,
});
export default assert;
