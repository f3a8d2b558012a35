// What the agent's events are to people, and as JSON.

import type { AgentEvent } from "../client/agent/agent-event.ts";
import { AppError, isAppError } from "../core/errors.ts";
import { formatBytes, plural } from "./format-bytes.ts";
import { formatDuration, formatTime, isoTime } from "./format-time.ts";
import type { AgentEventJson } from "./json-schema.ts";
import type { Paint } from "./paint.ts";
import { shownText } from "./shown-path.ts";

/** Columns after the time; undefined for what is not worth a line. */
export function eventWords(event: AgentEvent, { red, yellow, green }: Paint): string[] | undefined {
  const who = "plan" in event && event.plan !== undefined ? [shownText(event.plan)] : [];
  switch (event.type) {
    case "started":
      return [`Agent for ${plural(event.plans, "plan")} in ${plural(event.vaults, "vault")}`];
    case "run-started":
      return [...who, `begins (${event.trigger})`];
    case "run-ended": {
      const { outcome, files, addedBytes, startedAt, endedAt, snapshot, remarks, message } = event.last;
      const again = event.retryAt === undefined ? "" : `; again at ${formatTime(event.retryAt)}`;
      const marks = remarks.map((remark) => yellow(remark));
      if (outcome === "failed") return [...who, red(`failed: ${shownText(message)}${again}`)];
      if (snapshot === null) return [...who, yellow(`${outcome}${again}`)];
      const words = `${plural(files, "file")}, ${formatBytes(addedBytes)} stored in ${formatDuration(endedAt - startedAt)}`;
      return [
        ...who,
        (outcome === "ok" ? green : yellow)(outcome),
        `${words}, snapshot ${snapshot.slice(0, 12)}`,
        ...marks,
      ];
    }
    case "skipped":
      return [...who, yellow(`missed ${formatTime(event.moment)}, not made up for`)];
    case "plan-problem":
      return [...who, red(shownText(event.error.message))];
    case "plan-taken":
      return [
        ...who,
        event.conflict === undefined
          ? "changed at the server"
          : yellow(
              `changed here and at the server: the server's version is taken, this one is in ${shownText(event.conflict)}`,
            ),
      ];
    case "plan-refused":
      return [...who, red(`the server's version is not taken over: ${shownText(event.error.message)}`)];
    case "slept":
      return [`This machine slept for ${formatDuration(event.ms)}`];
    case "connected":
      return ["Connected to the server"];
    case "disconnected":
      return [yellow(`${shownText(event.error.message)} Trying again in ${formatDuration(event.waitMs)}.`)];
    case "command":
      return [...who, `asked to ${event.kind}`];
    case "trouble":
      return [...who, red(shownText(asAppError(event.error).message))];
    case "stopped":
      return undefined;
  }
}

export function eventJson(event: AgentEvent, now: number): AgentEventJson {
  const common = {
    type: "event",
    command: "agent run",
    time: isoTime(now),
    event: event.type,
    ...("vault" in event ? { vault: event.vault } : {}),
    ...("plan" in event && event.plan !== undefined ? { plan: event.plan } : {}),
  } as const;
  switch (event.type) {
    case "run-started":
      return { ...common, run: event.run, trigger: event.trigger };
    case "run-ended": {
      const { run, trigger, outcome, snapshot, error, message, files, bytes, addedBytes, startedAt, endedAt, remarks } =
        event.last;
      return {
        ...common,
        ...{ run, trigger, outcome, files, bytes, addedBytes, durationMs: endedAt - startedAt, remarks: [...remarks] },
        ...(snapshot === null ? {} : { snapshot }),
        ...(error === null ? {} : { error }),
        ...(message === "" ? {} : { message }),
        ...(event.retryAt === undefined ? {} : { retryAt: isoTime(event.retryAt) }),
      };
    }
    case "plan-problem":
    case "plan-refused":
    case "disconnected":
      return { ...common, error: event.error.code, message: event.error.message };
    case "trouble": {
      const { code, message } = asAppError(event.error);
      return { ...common, error: code, message };
    }
    case "command":
      return { ...common, detail: event.kind };
    case "plan-taken":
      return event.conflict === undefined ? common : { ...common, detail: event.conflict };
    case "slept":
      return { ...common, durationMs: event.ms };
    default:
      return common;
  }
}

function asAppError(error: unknown): AppError {
  if (isAppError(error)) return error;
  return new AppError("internal", { cause: error, context: { detail: `${(error as Error).message ?? error}.` } });
}
