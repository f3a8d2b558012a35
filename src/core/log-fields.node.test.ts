import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { AppError } from "./errors.ts";
import { said } from "./log.ts";
import { describeError, nameRoutes, safeFields, safeFrames } from "./log-fields.ts";

const CANARIES = [
  "kanarienvogel",
  "/home/olga/kanarienvogel.txt",
  "C:\\Users\\Olga\\kanarienvogel.txt",
  "kanarienvogel sings at noon",
  "AGE-SECRET-KEY-PQ-1KANARIENVOGEL",
  "cb_KanarienvogelKanarienvogelKanarienvogelKanarienvogel",
  Buffer.from("kanarienvogel, 32 bytes of a key").toString("base64"),
  "Bearer kanarienvogel",
  "Kanarienvogel",
  "KANARIENVOGEL",
] as const;

/** Every name that the list has, and some that it has not. */
const NAMES = [
  ...["vault", "device", "session", "snapshot", "packId", "pack", "job", "plan", "client", "run", "alert", "channel"],
  ...[
    "requestId",
    "code",
    "outcome",
    "cause",
    "errno",
    "reason",
    "detail",
    "what",
    "state",
    "kind",
    "caller",
    "severity",
  ],
  ...[
    "level",
    "method",
    "platform",
    "arch",
    "program",
    "route",
    "version",
    "node",
    "mode",
    "statement",
    "bytes",
    "status",
  ],
  ...["count", "dryRun", "path", "name", "file", "passphrase", "token", "authorization", "__proto__", "constructor"],
];

describe("fields of a log", () => {
  test("no canary passes under any name", () => {
    for (const canary of CANARIES) {
      for (const name of NAMES) {
        const shown = JSON.stringify(safeFields({ [name]: canary }));
        assert.ok(!/kanarienvogel/i.test(shown) && !shown.includes(canary), `${name} tells ${canary}: ${shown}`);
      }
    }
  });

  test("a key in hex is cut to what is of no use, whatever it is called", () => {
    const key = Buffer.from("kanarienvogel, 32 bytes of a key").toString("hex");
    for (const name of NAMES) {
      const shown = JSON.stringify(safeFields({ [name]: key }));
      assert.ok(!shown.includes(key.slice(0, 25)), `${name} tells a key`);
    }
    assert.equal(safeFields({ requestId: key }).requestId, "[hidden]");
  });

  test("what is on the list and fits is kept", () => {
    const id = "0123456789abcdef".repeat(2);
    nameRoutes(["putPack"]);
    assert.deepEqual(
      safeFields({
        ...{ vault: id, requestId: "a".repeat(24), code: "disk_full", kind: "gc", route: "putPack", status: 200 },
        ...{ reason: said`it was silent too long`, dryRun: true, version: "v26.10.0", mode: "644", session: undefined },
      }),
      {
        ...{ vault: id.slice(0, 12), requestId: "a".repeat(24), code: "disk_full", kind: "gc", route: "putPack" },
        ...{ status: 200, reason: "it was silent too long", dryRun: true, version: "v26.10.0", mode: "644" },
      },
    );
  });

  test("what is not on it is dropped; what does not fit is said to be hidden", () => {
    assert.deepEqual(safeFields({ path: "/x", status: "200", whatever: 1 }), { status: "[hidden]" });
    assert.deepEqual(safeFields({ status: Number.NaN, at: Number.POSITIVE_INFINITY }), {
      status: "[hidden]",
      at: "[hidden]",
    });
  });
});

describe("errors in a log", () => {
  test("tell class, code, call and cause, and never their message", () => {
    const cause = Object.assign(new Error("ENOSPC: no space, write '/home/kanarienvogel'"), {
      ...{ code: "ENOSPC", syscall: "write", path: "/home/kanarienvogel" },
    });
    const error = new AppError("disk_full", { cause, context: { path: "/home/kanarienvogel" } });
    const told = describeError(error);
    assert.equal(told.error, "AppError");
    assert.equal(told.code, "disk_full");
    assert.equal(told.cause, "ENOSPC");
    assert.deepEqual(
      { ...describeError(cause), stack: "" },
      { error: "Error", code: "ENOSPC", call: "write", stack: "" },
    );
    assert.match(String(told.stack), /src\/core\/log-fields\.node\.test\.ts:\d+:\d+/);
    assert.ok(!JSON.stringify([told, describeError(cause)]).includes("kanarienvogel"));
  });

  test("a class, code or call that somebody made up is not repeated", () => {
    const odd = Object.assign(new Error("x"), {
      name: "kanarienvogelError",
      code: "Ekanarienvogel",
      syscall: "kanarien",
    });
    assert.deepEqual({ ...describeError(odd), stack: "" }, { error: "Error", stack: "" });
    assert.deepEqual(describeError("kanarienvogel"), { error: "string" });
  });

  test("frames of other programs' sources, and paths before ours, are left out", () => {
    const root = join(import.meta.dirname, "..", "..");
    const stack = [
      "Error: kanarienvogel",
      "    at kanarien (/home/kanarienvogel/hook.js:1:2)",
      `    at own (file://${root}/src/engine/read.ts:10:20)`,
      `    at async Own.method (${root}/src/engine/other.ts:1:1)`,
      `    at there (file://${root}/node_modules/@scope/module/deep/kanarienvogel.js:3:4)`,
      "    at process.processTicks (node:internal/process/task_queues:105:5)",
      `    at secret (${root}/kanarienvogel.ts:1:1)`,
      "    at kanarienvogel/with/path (<anonymous>:1:1)",
    ].join("\n");
    assert.deepEqual(
      safeFrames(stack).map(({ function: name, file, isOwn }) => [name, file, isOwn]),
      [
        ["own", "src/engine/read.ts", true],
        ["async Own.method", "src/engine/other.ts", true],
        ["there", "@scope/module", false],
        ["process.processTicks", "node:internal/process/task_queues", false],
      ],
    );
  });
});
