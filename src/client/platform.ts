// What the engine needs of this machine, from Node.

import { systemClock, systemRandom } from "../core/clock.ts";
import type { EnginePlatform } from "../engine/platform.ts";
import { nodePrimitives } from "./primitives.ts";
import { nodeZstd } from "./zstd.ts";

export const nodePlatform: EnginePlatform = {
  primitives: nodePrimitives,
  zstd: nodeZstd,
  clock: systemClock,
  random: systemRandom,
};
