// The one stream that each device's agent keeps open: what people ask of it, and that its plans have changed. Whether there is one is
// whether the device is connected. What is delivered follows from what was acknowledged, never from what was sent.

import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Command } from "../../wire/v4/api/plan-routes.ts";
import type { ServerSentEvent } from "../http/call.ts";

type Stream = {
  /** Commands that went out on this stream and are not acknowledged. */
  sent: Set<string>;
  plansChanged: boolean;
  hasNews: boolean;
  isOver: boolean;
  wake: () => void;
};

export type StreamSource = {
  /** Oldest first: those that are to be sent. */
  commands(): readonly Command[];
  plans(): readonly { readonly plan: string; readonly version: number }[];
  delivered(command: Command): void;
};

export class DeviceStreams {
  readonly #streams = new Map<string, Stream>();
  readonly #onPresence: (vault: VaultId, device: DeviceId, isConnected: boolean) => void;

  constructor(onPresence: (vault: VaultId, device: DeviceId, isConnected: boolean) => void) {
    this.#onPresence = onPresence;
  }

  isConnected(vault: VaultId, device: DeviceId): boolean {
    return this.#streams.has(keyOf(vault, device));
  }

  /** There is something for the device. */
  wake(vault: VaultId, device: DeviceId, what: "command" | "plans"): void {
    const stream = this.#streams.get(keyOf(vault, device));
    if (stream === undefined) return;
    if (what === "plans") stream.plansChanged = true;
    stream.hasNews = true;
    stream.wake();
  }

  /** Until `signal` fires, or the device opens another one. */
  async *open(
    vault: VaultId,
    device: DeviceId,
    source: StreamSource,
    signal: AbortSignal,
  ): AsyncGenerator<ServerSentEvent> {
    const key = keyOf(vault, device);
    const before = this.#streams.get(key);
    const stream: Stream = {
      sent: new Set(),
      plansChanged: true,
      hasNews: true,
      isOver: false,
      wake: () => undefined,
    };
    this.#streams.set(key, stream);
    if (before === undefined) this.#onPresence(vault, device, true);
    else {
      before.isOver = true;
      before.wake();
    }
    const onAbort = (): void => stream.wake();
    signal.addEventListener("abort", onAbort);
    const isOver = (): boolean => signal.aborted || stream.isOver;
    try {
      yield { event: "hello", data: {} };
      while (!isOver()) {
        stream.hasNews = false;
        for (const event of due(stream, source)) {
          yield event;
          if (isOver()) return;
        }
        if (stream.hasNews || isOver()) continue;
        await new Promise<void>((resolve) => {
          stream.wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (this.#streams.get(key) === stream) {
        this.#streams.delete(key);
        this.#onPresence(vault, device, false);
      }
    }
  }
}

function* due(stream: Stream, source: StreamSource): Generator<ServerSentEvent> {
  if (stream.plansChanged) {
    stream.plansChanged = false;
    yield { event: "plans", data: { plans: source.plans() } };
  }
  const commands = source.commands();
  stream.sent = new Set(commands.flatMap(({ id }) => (stream.sent.has(id) ? [id] : [])));
  for (const command of commands) {
    if (stream.sent.has(command.id)) continue;
    stream.sent.add(command.id);
    const { id, kind, plan, run, untilMs, createdAt, expiresAt } = command;
    source.delivered(command);
    yield { id, event: "command", data: { id, kind, plan, run, untilMs, createdAt, expiresAt } };
  }
}

function keyOf(vault: VaultId, device: DeviceId): string {
  return `${vault}/${device}`;
}
