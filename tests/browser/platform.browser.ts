// The platform of tests in a browser: the page's own, with the code of zstd out of the bundle. It stands in for tests/platform.ts and
// must export the same names. It must need nothing of Node.

import wasmUrl from "../../node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm";
import type { EnginePlatform } from "../../src/engine/platform.ts";
import { browserPlatform } from "../../src/web/engine/platform.ts";

export const platform: EnginePlatform = await browserPlatform(wasmUrl);
export const { zstd } = platform;
