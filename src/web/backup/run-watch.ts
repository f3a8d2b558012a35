// Gathers what the page is told of a run: the engine's figures, what went over the network, and in which phase all that is.

import { type RawPath, rawToText } from "../../core/raw-path.ts";
import type { Gate } from "../../engine/backup/gate.ts";
import { newProgress } from "../../engine/backup/run.ts";
import type { RunTotals } from "../../engine/backup/types.ts";
import type { EnginePlatform } from "../../engine/platform.ts";
import type { HttpTransport } from "../../engine/remote/transport.ts";
import type { Figures, LogLine, RunEnd, RunEvent, RunPhase } from "./figures.ts";

export type WatchParts = {
  readonly platform: EnginePlatform;
  readonly gate: Gate;
  readonly emit: (event: RunEvent) => void;
};

export class RunWatch {
  readonly progress = newProgress();
  readonly startedAt: number;
  problems: RunEnd["problems"] = [];
  readonly #parts: WatchParts;
  readonly #expected: RunTotals | undefined;
  readonly #since: number;
  #phase: RunPhase = "connecting";
  #sent = 0;
  #waits = 0;
  #isWaiting = false;
  #latencyMs: number | undefined;
  #current = "";

  constructor(parts: WatchParts, expected: RunTotals | undefined) {
    this.#parts = parts;
    this.#expected = expected;
    this.progress.expected = expected;
    this.startedAt = parts.platform.clock.now();
    this.#since = parts.platform.clock.monotonic();
  }

  figures(): Figures {
    const { progress } = this;
    const { files, bytes, newFiles, changedFiles, unchangedFiles, newBytes, addedBytes, problems } = progress;
    return {
      phase: this.#currentPhase(),
      isPaused: !this.#parts.gate.isOpen,
      elapsedMs: this.#parts.platform.clock.monotonic() - this.#since,
      ...{ files, bytes, newFiles, changedFiles, unchangedFiles, newBytes, addedBytes, problems },
      folders: progress.directories,
      sentBytes: this.#sent,
      expected: this.#expected,
      current: rawToText((this.#current || progress.currentPath) as RawPath),
      latencyMs: this.#latencyMs,
      waits: this.#waits,
      isWaiting: this.#isWaiting,
    };
  }

  enter(phase: RunPhase): void {
    if (this.#phase === phase) return;
    this.#phase = phase;
    this.say("info", "phase", { phase });
  }

  say(level: LogLine["level"], what: LogLine["what"], values: LogLine["values"]): void {
    this.#parts.emit({ line: { at: this.#parts.platform.clock.now(), level, what, values } });
  }

  /** The same transport; the first login is a phase of its own. */
  transport(base: HttpTransport): HttpTransport {
    const watched: HttpTransport = {
      ...base,
      send: (request) => {
        if (this.#phase === "connecting" && request.path.startsWith("/api/v4/login")) this.enter("signing-in");
        return base.send(request);
      },
    };
    return { ...watched, bind: async (signal) => ({ ...(await base.bind(signal)), send: watched.send }) };
  }

  sent(bytes: number): void {
    this.#sent += bytes;
    if (bytes > 0) this.#isWaiting = false;
  }

  waits(code: string, waitMs: number): void {
    this.#waits++;
    this.#isWaiting = true;
    this.say("warning", "wait", { code, seconds: Math.ceil(waitMs / 1000) });
  }

  stored(bytes: number, tookMs: number): void {
    this.#isWaiting = false;
    this.say("info", "pack", { bytes, tookMs: Math.round(tookMs) });
  }

  /** Smoothed, so that one slow answer is no alarm. */
  answered(tookMs: number): void {
    this.#isWaiting = false;
    this.#latencyMs = this.#latencyMs === undefined ? tookMs : this.#latencyMs * 0.8 + tookMs * 0.2;
  }

  reads(path: RawPath): void {
    this.#current = path;
  }

  end(problems: RunEnd["problems"]): void {
    this.problems = problems;
    for (const { path, code } of problems) this.say("warning", "problem", { path, code });
    this.#phase = "done";
    const { files, addedBytes } = this.progress;
    this.say("info", "done", { files, addedBytes });
  }

  /** The engine's phases are told apart by what has been read. */
  #currentPhase(): RunPhase {
    if (this.#phase !== "scanning" && this.#phase !== "encrypting") return this.#phase;
    if (this.progress.phase === "finishing") this.enter("sending");
    else if (this.progress.bytes > 0) this.enter("encrypting");
    return this.#phase;
  }
}
