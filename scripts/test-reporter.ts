// A short reporter: one line for each file, every failure in full at the end, then the summary lines of Node's runner.
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

type Failed = { readonly failureType?: string; readonly exitCode?: number | null; readonly signal?: string | null };
type Failure = { where: string; name: string; error: unknown };

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: Failure[] = [];
  const closing: string[] = [];
  for await (const event of events) {
    if (event.type === "test:fail") {
      const { file = "", line, name, details } = event.data;
      const { failureType, exitCode, signal } = details.error as Failed;
      if (failureType === "subtestsFailed") continue;
      const { cause } = details.error;
      // Of a file whose process ended before it could tell which test failed.
      const error = exitCode === undefined ? cause : `its process ended with ${signal ?? exitCode}: ${cause}`;
      failures.push({ where: `${shorten(file)}:${line ?? 1}`, name, error });
    } else if (event.type === "test:stdout" || event.type === "test:stderr") {
      yield event.data.message;
    } else if (event.type === "test:summary" && event.data.file !== undefined) {
      const { counts, duration_ms, file, success } = event.data;
      const skipped = counts.skipped + counts.todo > 0 ? `, ${counts.skipped + counts.todo} skipped` : "";
      yield `${success ? "✔" : "✖"} ${shorten(file)}  ${counts.tests} tests${skipped}, ${seconds(duration_ms)}\n`;
    } else if (event.type === "test:diagnostic" && event.data.nesting === 0) {
      closing.push(`ℹ ${event.data.message}\n`);
    }
  }
  for (const { where, name, error } of failures) {
    const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
    yield `\n✖ ${name} (${where})\n${text.replace(/^/gm, "    ")}\n`;
  }
  yield `\n${closing.join("")}`;
}

function shorten(path: string): string {
  return relative(process.cwd(), path);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
