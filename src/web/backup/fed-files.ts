// Files for a seal worker, out of what came with its job (file-feed.ts): it opens nothing itself.

import { releaseBytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { FileAccess, OpenFile } from "../../engine/backup/read-file.ts";
import type { Fed } from "./file-feed.ts";

export class FedFiles implements FileAccess {
  #files = new Map<RawPath, Fed>();

  /** What the present job reads; what the one before had is let go. */
  take(fed: readonly Fed[]): void {
    for (const { data } of this.#files.values()) releaseBytes(new Uint8Array(data));
    this.#files = new Map(fed.map((one) => [one.path, one]));
  }

  withFile<T>(path: RawPath, use: (file: OpenFile) => T | Promise<T>): T | Promise<T> {
    const fed = this.#files.get(path);
    const problem = fed ? fed.problem : "ENOENT";
    if (!fed || problem !== undefined) throw Object.assign(new Error(problem), { code: problem });
    return use({
      read(target, at, length, offset) {
        const count = Math.max(0, Math.min(length, fed.data.byteLength - offset));
        if (count === 0) return 0;
        target.set(new Uint8Array(fed.data, offset, count), at);
        return count;
      },
      mark: () => fed.mark,
      holes: () => [],
    });
  }
}
