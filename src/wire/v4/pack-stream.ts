// Takes an uploaded pack (header, frames, footer; no trailer) apart while it arrives, in slices of any size.
// It holds at most one unfinished piece, grown as bytes arrive and never by what a length field claims.
// It checks shapes, limits and that footer and frames agree; hashes and signatures are its caller's.

import { equalBytes } from "../../core/bytes.ts";
import { type BlockEntry, FRAME_HEADER_BYTES, failPack, NEW_PACK, PACK_MAX_BLOCKS } from "./pack.ts";
import {
  checkFooterAgainstFrames,
  checkFooterLayout,
  decodeFooter,
  FOOTER_HEAD_BYTES,
  FOOTER_MAGIC,
  footerLength,
  type SeenFrame,
} from "./pack-footer.ts";
import { decodeFrameHeader } from "./pack-frame.ts";
import { decodePackHeader, PACK_HEADER_HEAD_BYTES, type PackHeader, packHeaderLength } from "./pack-header.ts";

/** Bytes are views: into the slice that held the whole piece, or into a buffer of their own. */
export type PackEvent =
  | { readonly type: "header"; readonly header: PackHeader; readonly bytes: Uint8Array }
  /** Only when asked for `inParts`: the next sealed bytes of a frame, whose own event then holds none. */
  | { readonly type: "part"; readonly bytes: Uint8Array }
  /** Only when asked for `inParts`: header or footer are going to be held, and will have this length. */
  | { readonly type: "length"; readonly of: "header" | "footer"; readonly length: number }
  | { readonly type: "frame"; readonly frame: SeenFrame; readonly sealed: Uint8Array }
  | { readonly type: "footer"; readonly entries: readonly BlockEntry[]; readonly bytes: Uint8Array };

type Step = "headerHead" | "header" | "frameOrFooter" | "footerHead" | "sealed" | "parts" | "footer" | "done";

/** Bytes that tell a frame from the footer. */
const LOOK_BYTES = 4;
const NOTHING = new Uint8Array(0);

/** One per upload. `push` every slice and use the events as they come, then call `end`. */
export class PackStreamParser {
  readonly #pack: string;
  readonly #inParts: boolean;
  readonly #fail: (detail: string) => never;
  readonly #pieces = new PieceCollector();
  readonly #frames: SeenFrame[] = [];
  #step: Step = "headerHead";
  /** Length that the current step needs; later steps of one piece ask for more of the same bytes. */
  #need = PACK_HEADER_HEAD_BYTES;
  /** Of the current piece in the pack. */
  #offset = 0;
  #header: PackHeader | undefined;
  #headerLength = 0;

  /** `inParts`: blocks are never held, however long they are; whoever hashes them needs no more. */
  constructor(pack: string = NEW_PACK, { inParts = false } = {}) {
    this.#pack = pack;
    this.#inParts = inParts;
    this.#fail = failPack(pack);
  }

  /** The slice must not be changed as long as its events are in use. Throws `pack_corrupt`; the parser is then of no more use. */
  *push(slice: Uint8Array): Generator<PackEvent, void, undefined> {
    this.#pieces.add(slice);
    for (;;) {
      if (this.#step === "done") {
        if (this.#pieces.available > 0) this.#fail("bytes follow its footer");
        return;
      }
      if (this.#step === "parts") {
        const bytes = this.#pieces.takeSome(this.#need);
        if (bytes.length > 0) yield { type: "part", bytes };
        this.#offset += bytes.length;
        this.#need -= bytes.length;
        if (this.#need > 0) return;
        yield this.#endFrame(NOTHING);
        continue;
      }
      const piece = this.#pieces.peek(this.#need);
      if (!piece) return;
      const event = this.#take(piece);
      if (event) yield event;
    }
  }

  /** Refuses an upload that ended too early. */
  end(): void {
    if (this.#step !== "done") this.#fail("it ends too early");
  }

  #take(piece: Uint8Array): PackEvent | undefined {
    switch (this.#step) {
      case "headerHead":
        return this.#announce("header", packHeaderLength(piece, this.#pack));
      case "header":
        return this.#takeHeader(piece);
      case "frameOrFooter":
        return this.#chooseFrameOrFooter(piece);
      case "footerHead":
        return this.#announce("footer", footerLength(piece, this.#pack));
      case "sealed":
        return this.#takeFrame(piece);
      case "footer":
        return this.#takeFooter(piece);
      case "parts":
      case "done":
        return undefined;
    }
  }

  #takeHeader(bytes: Uint8Array): PackEvent {
    const header = decodePackHeader(bytes, this.#pack);
    this.#header = header;
    this.#headerLength = bytes.length;
    this.#finishPiece("frameOrFooter", LOOK_BYTES);
    return { type: "header", header, bytes };
  }

  #chooseFrameOrFooter(piece: Uint8Array): undefined {
    if (equalBytes(piece.subarray(0, LOOK_BYTES), FOOTER_MAGIC.subarray(0, LOOK_BYTES))) {
      return this.#want("footerHead", FOOTER_HEAD_BYTES);
    }
    if (piece.length < FRAME_HEADER_BYTES) return this.#want("frameOrFooter", FRAME_HEADER_BYTES);
    if (this.#frames.length === PACK_MAX_BLOCKS) this.#fail("it has too many blocks");
    const frame = decodeFrameHeader(piece, this.#pack);
    if (frame.sessionIndex >= this.#header!.sessions.length)
      this.#fail("a block names a session that it does not have");
    this.#frames.push({ ...frame, offset: this.#offset + FRAME_HEADER_BYTES });
    if (this.#inParts) return this.#finishPiece("parts", frame.length);
    return this.#want("sealed", FRAME_HEADER_BYTES + frame.length);
  }

  #takeFrame(piece: Uint8Array): PackEvent {
    this.#finishPiece("frameOrFooter", LOOK_BYTES);
    return { type: "frame", frame: this.#frames.at(-1)!, sealed: piece.subarray(FRAME_HEADER_BYTES) };
  }

  #endFrame(sealed: Uint8Array): PackEvent {
    this.#want("frameOrFooter", LOOK_BYTES);
    return { type: "frame", frame: this.#frames.at(-1)!, sealed };
  }

  #takeFooter(bytes: Uint8Array): PackEvent {
    const entries = decodeFooter(bytes, this.#pack);
    checkFooterAgainstFrames(entries, this.#frames, this.#pack);
    checkFooterLayout(entries, { length: this.#headerLength, sessions: this.#header!.sessions.length }, this.#pack);
    this.#finishPiece("done", 0);
    return { type: "footer", entries, bytes };
  }

  #announce(of: "header" | "footer", length: number): PackEvent | undefined {
    this.#want(of, length);
    return this.#inParts ? { type: "length", of, length } : undefined;
  }

  #want(step: Step, need: number): undefined {
    this.#step = step;
    this.#need = need;
  }

  #finishPiece(next: Step, need: number): undefined {
    this.#pieces.consume(this.#need);
    this.#offset += this.#need;
    this.#want(next, need);
  }
}

/** Gives the bytes of a stream piece by piece: views while a piece lies in one slice, else a copy that grows with what arrives. */
class PieceCollector {
  /** Start of a piece that earlier slices began, in `#held[0, #heldLength)`. */
  #held = new Uint8Array(0);
  #heldLength = 0;
  #slice: Uint8Array = new Uint8Array(0);

  get available(): number {
    return this.#heldLength + this.#slice.length;
  }

  /** The slice before must have been used up by `peek`. */
  add(slice: Uint8Array): void {
    this.#slice = slice;
  }

  /** The next `length` bytes, not consumed; undefined (and all that is there is held) when they have not all arrived. */
  peek(length: number): Uint8Array | undefined {
    if (this.#heldLength === 0 && this.#slice.length >= length) return this.#slice.subarray(0, length);
    const missing = length - this.#heldLength;
    if (missing > 0) this.#hold(this.#slice.subarray(0, missing), length);
    return this.#heldLength >= length ? this.#held.subarray(0, length) : undefined;
  }

  /** At most `length` bytes of what is there; nothing may be held when this is called. They are consumed. */
  takeSome(length: number): Uint8Array {
    const part = this.#slice.subarray(0, length);
    this.#slice = this.#slice.subarray(part.length);
    return part;
  }

  /** Drops the piece that `peek` gave. Its bytes stay valid: what was held is not written to again. */
  consume(length: number): void {
    if (this.#heldLength === 0) {
      this.#slice = this.#slice.subarray(length);
      return;
    }
    this.#held = new Uint8Array(0);
    this.#heldLength = 0;
  }

  #hold(part: Uint8Array, length: number): void {
    const need = this.#heldLength + part.length;
    if (need > this.#held.length) {
      const grown = new Uint8Array(Math.min(length, Math.max(need, this.#held.length * 2, 64)));
      grown.set(this.#held.subarray(0, this.#heldLength));
      this.#held = grown;
    }
    this.#held.set(part, this.#heldLength);
    this.#heldLength = need;
    this.#slice = this.#slice.subarray(part.length);
  }
}
