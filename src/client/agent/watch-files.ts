// Notices when plans or pauses are edited while the agent runs. Where the system cannot tell, they are looked at now and then.

import { type FSWatcher, mkdirSync, watch } from "node:fs";
import { join } from "node:path";

const LOOK_EVERY_MS = 30_000;

/** `dir` is the home folder. Answers how to end it. */
export function watchPlanFiles(dir: string, onChange: () => void): () => void {
  const watchers: FSWatcher[] = [];
  const look = setInterval(onChange, LOOK_EVERY_MS);
  look.unref();
  const follow = (folder: string, counts: (name: string) => boolean): void => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const watcher = watch(folder, { recursive: true, persistent: false }, (_, name) => {
        if (name === null || counts(name)) onChange();
      });
      watcher.on("error", () => watcher.close());
      watchers.push(watcher);
    } catch {
      // The clock above is enough.
    }
  };
  // Files are written beside their names first (node/atomic-file.ts).
  follow(join(dir, "plans"), (name) => !/(^|[\\/])\.[^\\/]*$/.test(name));
  follow(join(dir, "agent"), (name) => /(^|[\\/])\.pauses\.json$/.test(name));
  return () => {
    clearInterval(look);
    for (const watcher of watchers) watcher.close();
  };
}
