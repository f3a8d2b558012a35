// One schedule by its seed, on a vault of its own: undefined, or what went wrong.

import { makeSchedule, runSchedule, type ScheduledStep } from "./schedule.ts";
import type { Template } from "./world.ts";

const STEPS = 25;

export function stepsOf(seed: number): readonly ScheduledStep[] {
  return makeSchedule(seed, STEPS);
}

export function play(template: Template, seed: number, steps: readonly ScheduledStep[]): Promise<Error | undefined> {
  return runSchedule(template, seed, steps).then(
    () => undefined,
    (error: Error) => error,
  );
}
