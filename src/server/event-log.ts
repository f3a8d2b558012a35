// What happens on the server, as lines of its log. A request that went well is a detail; one that failed on our side is an error.

import type { LogFields, Logger, LogLevel } from "../core/log.ts";
import type { ServerEvent } from "./kit.ts";

type Line = readonly [level: LogLevel, message: string, fields: LogFields];

export function logEvent(logger: Logger, event: ServerEvent): void {
  const [level, message, fields] = lineOf(event) ?? [];
  if (level !== undefined) logger[level](message!, fields);
}

function lineOf(event: ServerEvent): Line | undefined {
  switch (event.type) {
    case "request": {
      const { type, ...about } = event;
      return [levelOf(event.status), "a request was answered", about];
    }
    case "device-login":
      return ["debug", "a device logged in", { vault: event.vault, device: event.device }];
    case "session-open":
    case "session-close": {
      const { vault, device, session } = event;
      return [
        "info",
        event.type === "session-open" ? "a session began" : "a session ended",
        { vault, device, session },
      ];
    }
    case "pack": {
      const { type, ...about } = event;
      return ["debug", "a pack was stored", about];
    }
    case "commit": {
      const { vault, device, snapshot } = event;
      return ["info", "a snapshot was committed", { vault, device, snapshot }];
    }
    case "enrolled":
      return ["info", "a device was enrolled", { vault: event.vault, device: event.device }];
    case "statement":
      return ["info", "a statement was taken into the log", { vault: event.vault, statement: event.statement }];
    case "vault-made":
      return ["info", "a vault was made", { vault: event.vault }];
    case "job": {
      const { vault, job, kind, state, dryRun } = event;
      // Progress of a job is no news; that one failed is said by the runner, with the reason.
      if (state === "running" || state === "waiting")
        return ["debug", "a job goes on", { vault, job, kind, state, dryRun }];
      return ["info", "a job ended", { vault, job, kind, state, dryRun }];
    }
    default:
      return undefined;
  }
}

function levelOf(status: number): LogLevel {
  // 503 is what a server answers that stops or is asked too much: normal, and no fault.
  if (status >= 500 && status !== 503) return "error";
  return status >= 400 ? "info" : "debug";
}
