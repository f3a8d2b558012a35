import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, describe, test } from "node:test";
import { until } from "../../../tests/until.ts";
import { isAppError } from "../../core/errors.ts";
import { withFields } from "../../core/log.ts";
import type { TerminalStream } from "../terminal.ts";
import { logFiles } from "./files.ts";
import { type LogOptions, openLog } from "./open-log.ts";
import { LogTail } from "./tail.ts";

const folder = mkdtempSync(join(tmpdir(), "cb-log-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const AT = Date.UTC(2026, 10, 23, 3, 0, 0);
const clock = { now: () => AT, monotonic: () => 0 };

function screen(isTTY: boolean): { stream: TerminalStream; shown: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  }) as Writable & { isTTY?: boolean };
  stream.isTTY = isTTY;
  return { stream, shown: () => text };
}

function options(name: string, change: Partial<NonNullable<LogOptions["files"]>> = {}) {
  const console = screen(false);
  const files = { folder: join(folder, name), level: "info" as const, sizeBytes: 2 ** 20, count: 3, ...change };
  const given: LogOptions = {
    ...{ name: "server", clock, files },
    console: { stream: console.stream, level: "warn", isColoured: false },
  };
  return { given, console, folder: files.folder };
}

async function lines(path: string): Promise<Record<string, unknown>[]> {
  const [newest] = (await logFiles(path, "server")).slice(-1);
  return readFileSync(newest!, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** What stands in the newest files. */
async function text(path: string): Promise<string> {
  return (await logFiles(path, "server"))
    .slice(-2)
    .map((file) => readFileSync(file, "utf8"))
    .join("");
}

describe("the log", () => {
  test("goes to files, to the console and to memory, each by its own level, and only what may be told", async () => {
    const { given, console, folder: path } = options("levels");
    const log = await openLog(given);
    const heard: number[] = [];
    const stop = log.tail.subscribe(({ seq }) => heard.push(seq));
    const logger = withFields(log.logger, { requestId: "b".repeat(24) });
    logger.debug("not wanted", { status: 1 });
    logger.info("for files", { status: 200, path: "/kanarienvogel" });
    logger.error("for all", { error: new Error("kanarienvogel") });
    log.setLevel("debug");
    logger.debug("wanted now", { status: 2 });
    stop();
    logger.warn("after");
    await log.close();
    const written = await lines(path);
    assert.deepEqual(
      written.map(({ level, message }) => [level, message]),
      [
        ["info", "for files"],
        ["error", "for all"],
        ["debug", "wanted now"],
        ["warn", "after"],
      ],
    );
    assert.deepEqual(written[0], {
      ...{ level: "info", time: "2026-11-23T03:00:00.000Z", requestId: "b".repeat(24), status: 200 },
      message: "for files",
    });
    assert.deepEqual(
      log.tail.records().map(({ message }) => message),
      written.map(({ message }) => message),
    );
    assert.deepEqual(heard, [1, 2, 3]);
    assert.deepEqual(
      console
        .shown()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).message),
      ["for all", "after"],
    );
    assert.ok(!`${JSON.stringify(written)}${console.shown()}`.includes("kanarienvogel"));
    assert.equal(statSync((await logFiles(path, "server"))[0]!).mode & 0o777, 0o600);
    assert.equal(statSync(path).mode & 0o777, 0o700);
  });

  test("a terminal gets lines for people", async () => {
    const { stream, shown } = screen(true);
    const log = await openLog({
      ...{ name: "server", clock, files: undefined },
      console: { stream, level: "info", isColoured: false },
    });
    log.logger.info("the server is up", { vaults: 2 });
    await log.close();
    assert.match(shown(), /^\[?\d\d:\d\d:\d\d\]? INFO: the server is up \{"vaults":2\}\n$/);
  });

  test("files are rotated by size, old ones go, and a new start goes on with the newest", async () => {
    const { given, folder: path } = options("rotation", { sizeBytes: 1024 });
    let log = await openLog(given);
    // How many lines still reach the old file while the new one is opened is up to the system.
    let last = 0;
    const isFifth = async () => (await logFiles(path, "server")).some((file) => file.endsWith("server.5.log"));
    for (; last < 5000 && !(await isFifth()); last++) {
      log.logger.info("a line of some length that fills the file before long", { count: last });
      await until("the line is in the file", async () => (await text(path)).includes(`"count":${last},`));
    }
    log.logger.info("the last line", { count: last });
    await log.close();
    const before = await logFiles(path, "server");
    assert.ok(before.length >= 2 && before.length <= 4, `${before.length} files`);
    assert.ok(!before.some((file) => file.endsWith("server.1.log")), "the oldest is kept");
    assert.equal((await lines(path)).at(-1)!.count, last);
    log = await openLog(given);
    log.logger.info("again");
    await log.close();
    assert.equal((await lines(path)).at(-1)!.message, "again");
    assert.ok((await logFiles(path, "server")).at(-1)! >= before.at(-1)!);
  });

  test("a folder that cannot be made is one clear error", async () => {
    writeFileSync(join(folder, "taken"), "");
    const { given } = options("taken");
    await assert.rejects(openLog(given), (error) => isAppError(error, "io") && error.message.includes("taken"));
  });
});

test("the tail keeps the newest, and answers by what came after and by level", () => {
  const tail = new LogTail(3);
  for (const level of ["info", "warn", "info", "error"] as const) {
    tail.push({ at: 1, level, message: level, fields: {} });
  }
  assert.deepEqual(
    tail.records().map(({ seq }) => seq),
    [2, 3, 4],
  );
  assert.deepEqual(
    tail.records({ after: 2, level: "warn" }).map(({ seq }) => seq),
    [4],
  );
  assert.deepEqual(
    tail.records({ limit: 1 }).map(({ seq }) => seq),
    [4],
  );
});
