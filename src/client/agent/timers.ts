// Waiting, as the agent does it: on a clock that is passed in, so that two weeks pass in a test as fast as they can be worked through.

import { type Clock, type Sleep, systemClock, systemSleep } from "../../core/clock.ts";

export type Timers = { readonly clock: Clock; readonly sleep: Sleep };

export const systemTimers: Timers = { clock: systemClock, sleep: systemSleep };
