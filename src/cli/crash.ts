// What a process does when it dies of a bug: writes its log out, and reports the crash if that is set up.

import type { Clock } from "../core/clock.ts";
import type { Config } from "../core/config-schema.ts";
import type { Logger } from "../core/log.ts";
import type { CrashReports } from "../node/crash-reports.ts";
import { readVersion } from "../node/version.ts";

const LONG_RUNNING: ReadonlySet<string> = new Set(["serve", "gateway", "agent"]);

export class CrashHandling {
  #reports: CrashReports | undefined;
  readonly #flushes = new Set<() => void>();

  /** Before a command begins. Without an address nothing is loaded. */
  async setUp(config: Pick<Config, "crashReportsDsn">, program: string, clock: Clock): Promise<void> {
    if (config.crashReportsDsn === undefined) return;
    const { startCrashReports } = await import("../node/crash-reports.ts");
    this.#reports = startCrashReports({
      ...{ dsn: config.crashReportsDsn, version: readVersion(), clock },
      program: LONG_RUNNING.has(program) ? program : "cli",
    });
  }

  /** The logger whose lines go with a report. */
  trail(logger: Logger): Logger {
    return this.#reports?.trail(logger) ?? logger;
  }

  /** `flush` is called when the process dies; what is answered takes that back. */
  onDeath(flush: () => void): () => void {
    this.#flushes.add(flush);
    return () => void this.#flushes.delete(flush);
  }

  /** Never throws; takes two seconds at most. */
  async lastWords(thrown: unknown): Promise<void> {
    for (const flush of this.#flushes) {
      try {
        flush();
      } catch {
        // The disk may be what it died of.
      }
    }
    if (this.#reports === undefined) return;
    this.#reports.report(thrown);
    await this.#reports.flush().catch(() => undefined);
  }
}
