// For work that a server which went away has cut off: when to go on with it.

import { systemSleep } from "../../core/clock.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { call } from "./call.ts";
import { isServerAway } from "./server-away.ts";

/** Also the least that is waited: an answer to this question need not mean that the next one is answered. */
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 30_000;

/** Asks until the server answers. It does not go by the line of live events, which rests while nobody looks at the tab. Throws `interrupted`. */
export async function untilServerIsBack(signal: AbortSignal): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    await systemSleep(waitMs, signal);
    try {
      await call(PEOPLE_ROUTES.live, { signal });
      return;
    } catch (error) {
      if (!isServerAway(error)) throw error;
    }
  }
}
