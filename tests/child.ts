// Child processes of tests, known from their start on: one may have ended before anybody asks for its end, and one that never says or
// does what a test waits for must fail that test with words, not hold up the whole run. None outlives the test file.

import type { ChildProcess } from "node:child_process";

/** No process of a test takes so long, on the slowest machine. */
const LONGEST_MS = 120_000;

const CLOSED = new WeakMap<ChildProcess, Promise<number | null>>();
const LIVING = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of LIVING) child.kill("SIGKILL");
});

/** To be called in the turn that starts it. */
export function followed<Child extends ChildProcess>(child: Child): Child {
  LIVING.add(child);
  child.on("exit", () => LIVING.delete(child));
  const closed = new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  closed.catch(() => undefined);
  CLOSED.set(child, closed);
  // Whoever ends before its input is read closes the pipe.
  child.stdin?.on("error", () => undefined);
  return child;
}

/** Its exit code, null when a signal ended it, once its pipes are closed as well. One that does not end is killed, and that is an error. */
export function endOf(child: ChildProcess): Promise<number | null> {
  return inTime(child, CLOSED.get(child)!, "did not end");
}

/** What it says first. From then on all that it says is read, so that a full pipe never stops it. */
export function firstLine(child: ChildProcess): Promise<string> {
  let said = "";
  let errors = "";
  child.stderr?.on("data", (slice) => {
    errors = (errors + slice).slice(-10_000);
  });
  const line = new Promise<string>((resolve, reject) => {
    child.stdout!.on("data", (slice) => {
      if (said.includes("\n")) return;
      said += slice;
      if (said.includes("\n")) resolve(said.slice(0, said.indexOf("\n")));
    });
    const early = (end: unknown) =>
      reject(new Error(`${nameOf(child)} ended (${end}) without a line: ${said}${errors}`));
    CLOSED.get(child)!.then(early, early);
  });
  return inTime(child, line, "said nothing");
}

/** Kills the child when what it is to do does not come. */
async function inTime<T>(child: ChildProcess, deed: Promise<T>, otherwise: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    reject(new Error(`${nameOf(child)} ${otherwise}`));
  }, LONGEST_MS);
  try {
    return await Promise.race([deed, late]);
  } finally {
    clearTimeout(timer);
  }
}

function nameOf(child: ChildProcess): string {
  return child.spawnargs.slice(1).join(" ");
}
