// Ctrl-C and its like. The first one asks the work to stop where nothing is lost; the second one ends the process at once.

/** The two signals by which people and service managers ask a program to stop. */
const ASKING = ["SIGINT", "SIGTERM"] as const;

type Signals = {
  on(signal: (typeof ASKING)[number], listener: () => void): unknown;
  off(signal: (typeof ASKING)[number], listener: () => void): unknown;
};

export type Interruption = {
  /** Fires at the first signal. */
  readonly signal: AbortSignal;
  /** Gives the signals back to the platform. */
  stop(): void;
};

/** `onFirst` tells the person; `onSecond` must not return to the work. */
export function listenForInterruption(process: Signals, onFirst: () => void, onSecond: () => void): Interruption {
  const controller = new AbortController();
  const listener = (): void => {
    if (controller.signal.aborted) {
      onSecond();
      return;
    }
    controller.abort();
    onFirst();
  };
  for (const name of ASKING) process.on(name, listener);
  return {
    signal: controller.signal,
    stop: () => {
      for (const name of ASKING) process.off(name, listener);
    },
  };
}
