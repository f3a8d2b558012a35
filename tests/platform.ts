// The platform that tests of the isomorphic rooms run on. Here it is Node's; the bundler of tests/browser/ puts
// browser/platform.browser.ts in its place, which must export the same names.

import { nodePlatform } from "../src/client/platform.ts";
import type { EnginePlatform, Zstd } from "../src/engine/platform.ts";

export const platform: EnginePlatform = nodePlatform;
export const zstd: Zstd = platform.zstd;
