// The process as commands see it: environment, streams, time, chance and the wish to stop, so that nothing below reaches for them.

import { homedir } from "node:os";
import type { Readable } from "node:stream";
import { type Clock, type RandomSource, systemClock, systemRandom } from "../core/clock.ts";
import type { TerminalStream } from "../node/terminal.ts";

export type Host = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly userHome: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** scrypt work factor of passphrases in new keyslots; undefined: the default of crypto/keyslot.ts. */
  readonly keyslotLogN: number | undefined;
  /** Tells the process that started this one, when that is `up`; resolves when it has gone out. */
  readonly tellParent: ((message: unknown) => Promise<void>) | undefined;
  /** Fires at the first Ctrl-C. */
  readonly signal: AbortSignal;
};

export function processHost(signal: AbortSignal): Host {
  return {
    env: process.env,
    platform: process.platform,
    userHome: userHome(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    random: systemRandom,
    keyslotLogN: undefined,
    tellParent: parentOf(process),
    signal,
  };
}

/** A user that the system has no name for, as in a container, has none; settings then say where things are. */
function userHome(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}

type Parent = { send?(message: unknown, handle: undefined, options: undefined, sent: () => void): boolean };

function parentOf(parent: Parent): Host["tellParent"] {
  if (parent.send === undefined) return undefined;
  // A parent that has gone must not stop its child.
  return (message) => new Promise((resolve) => parent.send?.(message, undefined, undefined, () => resolve()));
}
