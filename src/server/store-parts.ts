// What everything in the server that keeps something takes when it is made: the database, the clock, chance. Each names those that it uses;
// the server's kit has them all.

import type { Clock, RandomSource } from "../core/clock.ts";
import type { Database } from "../vault/database.ts";

export type StoreParts = { readonly database: Database; readonly clock: Clock; readonly random: RandomSource };
/** Some of them. */
export type Parts<Name extends keyof StoreParts> = Pick<StoreParts, Name>;
