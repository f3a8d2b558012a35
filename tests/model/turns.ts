// Who goes next. Every call of the store waits at a gate, and one waiting call at a time is let through, by the schedule's choice:
// so several operations interleave at every point where they could, and the same choices give the same run again.
// Between two gates nothing of a task waits for the platform (prompt-crypto.ts), so one turn of the event loop runs it there.

import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";

export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export type Task = { readonly owner: number; readonly name: string };

type Waiting = { readonly task: Task; readonly go: () => void; readonly stop: (error: unknown) => void };

/** Turns of the event loop in which a task must come to a gate or end. */
const MOST_IDLE = 100;

export class Turns {
  readonly #context = new AsyncLocalStorage<Task>();
  readonly #waiting: Waiting[] = [];
  readonly #running = new Set<Task>();
  #failure: { readonly error: unknown } | undefined;

  /** Runs `work` up to its first gate. `ended` is told how it came out; what that throws, `turn` throws. */
  async start<T>(
    owner: number,
    name: string,
    work: () => Promise<T>,
    ended: (outcome: Outcome<T>) => void,
  ): Promise<void> {
    const task = { owner, name };
    this.#running.add(task);
    const finish = (outcome: Outcome<T>): void => {
      this.#running.delete(task);
      try {
        ended(outcome);
      } catch (error) {
        this.#failure ??= { error };
      }
    };
    this.#context.run(task, () => {
      (async () => work())().then(
        (value) => finish({ value }),
        (error) => finish({ error }),
      );
    });
    await this.#rest();
  }

  /** Called by the store. Outside of a task nothing waits. */
  gate(): Promise<void> {
    const task = this.#context.getStore();
    if (task === undefined) return Promise.resolve();
    return new Promise((go, stop) => this.#waiting.push({ task, go, stop }));
  }

  /** Lets one waiting call through; false when there is none. */
  async turn(choice: number): Promise<boolean> {
    const [next] = this.#waiting.splice(choice % Math.max(1, this.#waiting.length), 1);
    next?.go();
    await this.#rest();
    return next !== undefined;
  }

  tasksOf(owner: number): string[] {
    return [...this.#running].filter((task) => task.owner === owner).map(({ name }) => name);
  }

  isRunning(name: string): boolean {
    return [...this.#running].some((task) => task.name === name);
  }

  /** Lets tasks go on, oldest call first, until none is left: of one owner, or at all. */
  async drain(owner?: number): Promise<void> {
    while (owner === undefined ? this.#running.size > 0 : this.tasksOf(owner).length > 0) {
      if (!(await this.turn(0)) && !(await this.#moves()))
        throw new Error(`These wait for nothing: ${[...this.#running].map(({ name }) => name)}`);
    }
  }

  /** Every call of `owner` fails from now on, until none of its tasks is left. */
  async stop(owner: number, error: unknown): Promise<void> {
    for (let idle = 0; this.tasksOf(owner).length > 0; idle++) {
      const own = this.#waiting.filter(({ task }) => task.owner === owner);
      if (own.length > 0) idle = 0;
      else if (idle > MOST_IDLE) throw new Error(`These do not end: ${this.tasksOf(owner)}`);
      for (const call of own) this.#waiting.splice(this.#waiting.indexOf(call), 1);
      for (const call of own) call.stop(error);
      await this.#rest();
    }
  }

  /** True once somebody waits or nobody is left: long work gives way to others now and then without waiting for a gate. */
  async #moves(): Promise<boolean> {
    const isStill = (): boolean => this.#waiting.length === 0 && this.#running.size > 0;
    for (let turn = 0; turn < MOST_IDLE && isStill(); turn++) await this.#rest();
    return !isStill();
  }

  async #rest(): Promise<void> {
    await nextTurn();
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
