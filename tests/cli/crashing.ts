// The real command line, with bugs that signals set off: SIGUSR2 throws, SIGHUP rejects where nobody listens. Everything about them is
// named by a canary, which must be in no report.

import { main } from "../../src/cli/run.ts";
import { loadConfig } from "../../src/node/config.ts";

const canary = process.env.CANARY!;

class KanarienvogelError extends Error {
  override readonly name = canary;
  readonly path = `/home/${canary}/diary.txt`;
}

function throwWithCanaries(secret: string): never {
  const held = `${secret} in a local variable`;
  throw new KanarienvogelError(`cannot open /home/${held}`, { cause: new Error(`because of ${held}`) });
}

process.on("SIGUSR2", () => throwWithCanaries(canary));
process.on("SIGHUP", () => {
  void loadConfig(undefined as never).catch((cause) => {
    throw new RangeError(`${canary} rejected`, { cause });
  });
});

await main(process.argv.slice(2));
