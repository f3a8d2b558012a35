// npm run build [-- --force]: makes what cannot run from its sources. A step whose inputs are as before is left out.
import { performance } from "node:perf_hooks";
import { buildPage, isPageStale } from "./build-page.ts";
import { requireNode } from "./node-version.ts";

type Step = {
  readonly name: string;
  isStale(): boolean;
  /** Answers a line about what came out. */
  build(): Promise<string>;
};

const STEPS: readonly Step[] = [
  {
    name: "page",
    isStale: () => isPageStale(),
    build: async () => {
      const { heaviestBytes, page } = await buildPage();
      return `at most ${Math.ceil(heaviestBytes / 1024)} KiB of JavaScript (gzipped) for a page: ${page}`;
    },
  },
];

requireNode();
const isForced = process.argv.includes("--force");
for (const { name, isStale, build } of STEPS) {
  if (!isForced && !isStale()) {
    console.log(`✔ ${name.padEnd(8)} as before`);
    continue;
  }
  const start = performance.now();
  const said = await build();
  console.log(`✔ ${name.padEnd(8)} ${((performance.now() - start) / 1000).toFixed(1)} s  ${said}`);
}
