// Packs that are kept until a vault has acknowledged them, in memory that is used again and again. What is new for each pack would
// be counted by the collector: at 32 MiB a pack it passed over the whole heap every tenth of a second and took a fifth of a backup's
// processor time.

import { releaseBytes, roomFor } from "../../core/bytes.ts";

/** Of the same size as what a browser's thread keeps for later (web/engine/release.ts). */
const SEGMENT_BYTES = 4 * 2 ** 20;

/** Memory for the packs of one sender. It is given back when none of them is kept any more. */
export class PackMemory {
  readonly #spare: Uint8Array[] = [];
  #kept = 0;

  begin(): KeptPack {
    this.#kept++;
    return new KeptPack(
      () => this.#spare.pop() ?? roomFor(SEGMENT_BYTES),
      (segments) => {
        this.#spare.push(...segments);
        if (--this.#kept === 0) for (const segment of this.#spare.splice(0)) releaseBytes(segment);
      },
    );
  }
}

/** One pack: grows by copies of what is given, is read as often as it takes, and is empty once it was let go. */
export class KeptPack {
  readonly #take: () => Uint8Array;
  readonly #giveBack: (segments: readonly Uint8Array[]) => void;
  #segments: Uint8Array[] = [];
  #lengthBytes = 0;

  constructor(take: () => Uint8Array, giveBack: (segments: readonly Uint8Array[]) => void) {
    this.#take = take;
    this.#giveBack = giveBack;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const used = this.#lengthBytes % SEGMENT_BYTES;
      if (used === 0) this.#segments.push(this.#take());
      const part = bytes.subarray(at, at + SEGMENT_BYTES - used);
      this.#segments.at(-1)!.set(part, used);
      this.#lengthBytes += part.length;
      at += part.length;
    }
  }

  /** From its beginning, in views of `pieceBytes` at most, of which no two segments share one. */
  *pieces(pieceBytes: number): Generator<Uint8Array> {
    let left = this.#lengthBytes;
    for (const segment of this.#segments) {
      const end = Math.min(left, SEGMENT_BYTES);
      for (let at = 0; at < end; at += pieceBytes) yield segment.subarray(at, Math.min(at + pieceBytes, end));
      left -= end;
    }
  }

  /** Nobody may read its pieces any more. */
  letGo(): void {
    this.#giveBack(this.#segments.splice(0));
    this.#lengthBytes = 0;
  }
}
