// What tests use of node:test, for browsers: describe, test, subtests, hooks, skip and todo. Tests are collected while a
// file is loaded and run one after another by `runAll`. It must never let a failure pass; what is missing here throws.

export type TestReport = {
  /** Names of the suites around it, then its own. */
  readonly path: readonly string[];
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it failed. */
  readonly problem?: string;
};

type Options = { skip?: boolean | string; todo?: boolean | string; timeout?: number; concurrency?: unknown };
type Hook = () => unknown;
type TestBody = (context: TestContext) => unknown;
type Hooks = { before: Hook[]; after: Hook[]; beforeEach: Hook[]; afterEach: Hook[] };
type Suite = { kind: "suite"; name: string; skip: boolean; entries: (Suite | Test)[]; hooks: Hooks; ready: unknown };
type Test = { kind: "test"; name: string; options: Options; body: TestBody };
type Arguments<Body> = [name: string, body?: Body] | [name: string, options: Options, body?: Body];

const root: Suite = newSuite("", false);
let current = root;
let running = false;
const reports: TestReport[] = [];

/** Runs all that was collected; call it once, after the test file was loaded. */
export async function runAll(): Promise<readonly TestReport[]> {
  await collected(root);
  running = true;
  await runSuite(root, [], []);
  return reports;
}

function addTest(...args: Arguments<TestBody>): void {
  if (running) throw new Error("a test within a test is made with the context's test()");
  current.entries.push(newTest(args));
}

function addSuite(...args: Arguments<() => unknown>): void {
  const { name, options, body } = parse(args);
  const suite = newSuite(name, isSkipped(options) || body === undefined);
  current.entries.push(suite);
  const outer = current;
  current = suite;
  try {
    // An async suite may add tests before its first await only.
    suite.ready = body?.();
  } finally {
    current = outer;
  }
}

function skipped<Body>(add: (...args: Arguments<Body>) => void): (...args: Arguments<Body>) => void {
  return (...args) => add(args[0], { skip: true }, parse(args).body as Body);
}

export const test = Object.assign(addTest, { skip: skipped(addTest), todo: skipped(addTest), test: addTest });
export const describe = Object.assign(addSuite, { skip: skipped(addSuite), todo: skipped(addSuite) });
export { describe as suite, test as it };

export const before = (hook: Hook): unknown => current.hooks.before.push(hook);
export const after = (hook: Hook): unknown => current.hooks.after.push(hook);
export const beforeEach = (hook: Hook): unknown => current.hooks.beforeEach.push(hook);
export const afterEach = (hook: Hook): unknown => current.hooks.afterEach.push(hook);

/** What a running test is given. */
class TestContext {
  readonly name: string;
  readonly signal: AbortSignal;
  /** Set by `skip` and `todo`. */
  skipped = false;
  readonly afters: Hook[] = [];
  readonly #runSubtest: (test: Test) => Promise<void>;
  /** Subtests run one after another, whether or not the test awaits each. */
  subtests: Promise<void> = Promise.resolve();

  constructor(name: string, signal: AbortSignal, runSubtest: (test: Test) => Promise<void>) {
    this.name = name;
    this.signal = signal;
    this.#runSubtest = runSubtest;
  }

  test(...args: Arguments<TestBody>): Promise<void> {
    this.subtests = this.subtests.then(() => this.#runSubtest(newTest(args)));
    return this.subtests;
  }

  after(hook: Hook): void {
    this.afters.push(hook);
  }

  skip(): void {
    this.skipped = true;
  }

  todo(): void {
    this.skipped = true;
  }

  diagnostic(message: string): void {
    console.log(message);
  }
}

async function collected(suite: Suite): Promise<void> {
  await suite.ready;
  for (const entry of suite.entries) if (entry.kind === "suite") await collected(entry);
}

async function runSuite(suite: Suite, path: readonly string[], outer: readonly Hooks[]): Promise<void> {
  if (suite.skip) {
    reports.push({ path, outcome: "skipped" });
    return;
  }
  const around = [...outer, suite.hooks];
  try {
    for (const hook of suite.hooks.before) await hook();
    for (const entry of suite.entries) {
      if (entry.kind === "suite") await runSuite(entry, [...path, entry.name], around);
      else await runTest(entry, [...path, entry.name], around);
    }
  } catch (error) {
    reports.push({ path: [...path, "before hook"], outcome: "failed", problem: explain(error) });
  }
  try {
    for (const hook of suite.hooks.after) await hook();
  } catch (error) {
    reports.push({ path: [...path, "after hook"], outcome: "failed", problem: explain(error) });
  }
}

/** True unless it failed. */
async function runTest({ options, body }: Test, path: readonly string[], around: readonly Hooks[]): Promise<boolean> {
  if (isSkipped(options)) {
    reports.push({ path, outcome: "skipped" });
    return true;
  }
  console.debug(`running ${path.join(" › ")}`);
  let failedSubtests = 0;
  const abort = new AbortController();
  const context = new TestContext(path.at(-1) ?? "", abort.signal, async (subtest) => {
    if (!(await runTest(subtest, [...path, subtest.name], []))) failedSubtests++;
  });
  const problems: string[] = [];
  const attempt = async (work: () => unknown) => {
    try {
      await work();
    } catch (error) {
      problems.push(explain(error));
    }
  };

  await attempt(async () => {
    for (const { beforeEach: hooks } of around) for (const hook of hooks) await hook();
    await within(options.timeout, Promise.resolve(body(context)));
  });
  await attempt(() => context.subtests);
  abort.abort();
  for (const hook of context.afters) await attempt(hook);
  for (const { afterEach: hooks } of around.toReversed()) for (const hook of hooks) await attempt(hook);
  if (failedSubtests > 0) problems.push(`${failedSubtests} of its subtests failed`);

  if (problems.length > 0) reports.push({ path, outcome: "failed", problem: problems.join("\n") });
  else reports.push({ path, outcome: context.skipped ? "skipped" : "passed" });
  return problems.length === 0;
}

async function within(timeoutMs: number | undefined, work: Promise<unknown>): Promise<void> {
  if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) {
    await work;
    return;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${timeoutMs} ms`)), timeoutMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${explain(error.cause)}`;
  return `${error.stack ?? `${error.name}: ${error.message}`}${cause}`;
}

function newSuite(name: string, skip: boolean): Suite {
  const hooks = { before: [], after: [], beforeEach: [], afterEach: [] };
  return { kind: "suite", name, skip, entries: [], hooks, ready: undefined };
}

function newTest(args: Arguments<TestBody>): Test {
  const { name, options, body } = parse(args);
  return { kind: "test", name, options: body ? options : { skip: true }, body: body ?? (() => undefined) };
}

function parse<Body>(args: Arguments<Body>): { name: string; options: Options; body: Body | undefined } {
  const [name, second, third] = args;
  if (typeof name !== "string") throw new Error("a test needs a name");
  if (typeof second === "function") return { name, options: {}, body: second as Body };
  return { name, options: (second as Options | undefined) ?? {}, body: third };
}

function isSkipped({ skip, todo }: Options): boolean {
  return Boolean(skip) || Boolean(todo);
}
