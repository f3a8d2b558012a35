// Where the command line starts. `--version` is answered before anything else is loaded; every command is a file of its own
// that is imported when it is used (program.ts). The launcher has Node keep compiled code (NODE_COMPILE_CACHE).

import { programName } from "../node/version.ts";

const [first] = process.argv.slice(2);
if (first === "--version" || first === "-V") {
  process.stdout.write(`${programName()}\n`);
} else {
  const { unlockAhead } = await import("./unlock-ahead.ts");
  unlockAhead(process.argv.slice(2), process.env);
  const { main } = await import("./run.ts");
  await main(process.argv.slice(2));
}
