// Loaded into the process of each test file, ahead of it. Once its tests are over nothing may hold it: a child that a failed test has left,
// an open server, a loop that waits for what never comes. Then this says so and ends it, in place of a run that waits for ever.

import { relative } from "node:path";
import { after } from "node:test";

/** Hooks that stop servers and browsers take less. */
const GRACE_MS = 30_000;

after(() => {
  setTimeout(() => {
    const held = [...new Set(process.getActiveResourcesInfo())].join(", ");
    console.error(`${relative(process.cwd(), process.argv[1] ?? "")} does not end after its last test: ${held}`);
    process.exit(1);
  }, GRACE_MS).unref();
});
