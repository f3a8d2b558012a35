// A place to restore to and short words for what is done there. Each rig has its own folder, removed after the test.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { restoreSnapshot } from "../../src/client/restore/restore.ts";
import type { RestoreItem, RestoreOptions, RestoreResult } from "../../src/client/restore/types.ts";
import { resolveSnapshot } from "../../src/engine/reader/resolve.ts";
import { type Fixture, makeFixture, type SnapshotOptions, type Spec } from "../snapshot-fixture.ts";

export type Restored = RestoreResult & { readonly items: readonly RestoreItem[] };

export class RestoreRig {
  readonly fixture: Fixture;
  /** Holds the target and what lies around it. */
  readonly base: string;
  readonly target: string;

  private constructor(fixture: Fixture, base: string) {
    this.fixture = fixture;
    this.base = base;
    this.target = join(base, "target");
    mkdirSync(this.target);
  }

  static async make(context: TestContext): Promise<RestoreRig> {
    const base = mkdtempSync(join(tmpdir(), "cyberbackup-restore-"));
    context.after(() => rmSync(base, { recursive: true, force: true }));
    return new RestoreRig(await makeFixture(), base);
  }

  /** Makes a snapshot and restores it. */
  async roundTrip(
    spec: Readonly<Record<string, Spec>>,
    options: Partial<RestoreOptions> = {},
    snapshot: SnapshotOptions = {},
  ): Promise<Restored> {
    await this.fixture.snapshot(spec, snapshot);
    return this.restore(options);
  }

  async restore(options: Partial<RestoreOptions> = {}, expression = "latest"): Promise<Restored> {
    const reader = this.fixture.reader();
    const snapshot = await resolveSnapshot(reader, expression);
    const items: RestoreItem[] = [];
    const result = await restoreSnapshot({
      reader,
      snapshot,
      target: this.target,
      workers: 1,
      onItem: (item) => items.push(item),
      ...options,
    });
    return { ...result, items };
  }

  path(name: string): string {
    return join(this.target, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  exists(name: string): boolean {
    return lstatSync(this.path(name), { throwIfNoEntry: false }) !== undefined;
  }

  /** Everything below the target, `name → content`; a link as `->target`, a folder as `/`. */
  tree(folder = this.target, prefix = ""): Record<string, string> {
    const found: Record<string, string> = {};
    if (!existsSync(folder)) return found;
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      const name = `${prefix}${entry.name}`;
      if (entry.isDirectory()) Object.assign(found, { [`${name}/`]: "/" }, this.tree(path, `${name}/`));
      else if (entry.isSymbolicLink()) found[name] = `->${readlinkSync(path)}`;
      else found[name] = entry.isFile() ? readFileSync(path, "utf8") : "?";
    }
    return found;
  }
}

/** `action name` of each item, sorted; names relative to the target. */
export function shown(rig: RestoreRig, { items }: Restored): string[] {
  return items.map(({ action, path }) => `${action} ${path.slice(rig.target.length + 1)}`).sort();
}
