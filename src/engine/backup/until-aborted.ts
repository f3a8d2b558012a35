// A stream that can be given up at any time.

import { AppError } from "../../core/errors.ts";

/** The stream, until the signal fires: also when its source is silent just then (a terminal, a command that waits). */
export async function* untilAborted(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await orAborted(iterator.next(), signal);
    if (next === "aborted") {
      // A silent source may never answer: it is told, but not waited for.
      void iterator.return?.().catch(() => undefined);
      throw new AppError("interrupted", { cause: signal?.reason });
    }
    if (next.done) return;
    yield next.value;
  }
}

/** A race with one promise for all slices would keep something of each slice until the end. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T | "aborted"> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve("aborted");
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
