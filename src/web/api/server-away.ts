// What only a server that went away has cut off, and how it goes on. Workers need no more of the API than this.

import { type ErrorCode, isAppError } from "../../core/errors.ts";

const AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["server_unreachable", "server_stopping"]);

/** Whether it is over as soon as the server is back. */
export function isServerAway(error: unknown): boolean {
  return isAppError(error) && AWAY.has(error.code);
}

/** Tries again, each time that the server was away and is back, for as long as `signal` lets it. Throws what `attempt` throws for any other reason, and `interrupted`. */
export async function throughOutages<T>(
  attempt: (isAgain: boolean) => Promise<T>,
  at: {
    readonly signal: AbortSignal;
    readonly untilBack: (signal: AbortSignal) => Promise<void>;
    /** The server was given up, and is waited for; false: it is back. */
    readonly onWaiting: (isWaiting: boolean) => void;
  },
): Promise<T> {
  for (let isAgain = false; ; isAgain = true) {
    try {
      return await attempt(isAgain);
    } catch (error) {
      if (at.signal.aborted || !isServerAway(error)) throw error;
      at.onWaiting(true);
      await at.untilBack(at.signal);
      at.onWaiting(false);
    }
  }
}
