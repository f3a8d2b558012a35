// Frames of protocol 3 out of a stream of slices of any size. A frame's header is judged before a byte of its payload is kept, so
// that a hostile size costs nothing; the ciphertext of a file packet is handed on as it lies in the slices and never gathered.

import type { Bytes } from "../../core/bytes.ts";
import {
  failV3,
  type PacketHead,
  REQUEST,
  type Reply,
  type RequestHeader,
  requestSizes,
  V3_BYTES,
  V3_VERSION,
} from "./messages.ts";
import { decodeReply, decodeReplyHeader } from "./replies.ts";
import { decodePacketHead, decodeRequestHeader } from "./requests.ts";

/**
 * What a request is made of, in this order. A `payload` comes whole; a file packet gives its head, then content. Requests of an
 * unknown code and packets that are too short for their head have neither: their bytes are dropped.
 */
export type RequestPart =
  | { readonly kind: "request"; readonly header: RequestHeader }
  | { readonly kind: "payload"; readonly bytes: Bytes }
  | { readonly kind: "packet"; readonly head: PacketHead }
  /** A view of the slice that was pushed: valid until the next push. */
  | { readonly kind: "content"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

export type RequestReaderOptions = {
  /** Payloads above this are refused. */
  readonly maxPayloadBytes: number;
};

/** After it has thrown `v3_protocol` nothing more can be read: where the next frame begins is unknown. */
export class RequestReader {
  readonly #maxPayloadBytes: number;
  readonly #gathered = new Gatherer(V3_BYTES.requestHeader);
  #step: "header" | "payload" | "packet" | "content" | "dropped" | "broken" = "header";
  #left = 0;

  constructor(options: RequestReaderOptions) {
    this.#maxPayloadBytes = options.maxPayloadBytes;
  }

  /** True between two frames: a stream that ends here ends well. */
  get isBetweenFrames(): boolean {
    return this.#step === "header" && this.#gathered.length === 0;
  }

  /** Parts are made as they are asked for; the slice must be read to its end before the next one is pushed. */
  *push(slice: Uint8Array): Generator<RequestPart, void, undefined> {
    let rest = slice;
    for (;;) {
      if (this.#step === "broken") failV3("a frame before this one was broken");
      if (this.#step === "content" || this.#step === "dropped") {
        const taken = rest.subarray(0, this.#left);
        rest = rest.subarray(taken.length);
        this.#left -= taken.length;
        if (taken.length > 0 && this.#step === "content") yield { kind: "content", bytes: taken };
        if (this.#left > 0) return;
        this.#expect("header", V3_BYTES.requestHeader);
        yield { kind: "end" };
        continue;
      }
      rest = this.#gathered.take(rest);
      if (!this.#gathered.isFull) return;
      if (this.#step === "header") {
        yield { kind: "request", header: this.#readHeader() };
      } else if (this.#step === "packet") {
        const head = decodePacketHead(this.#gathered.bytes);
        this.#step = "content";
        yield { kind: "packet", head };
      } else {
        const bytes = this.#gathered.bytes.slice();
        this.#step = "dropped";
        yield { kind: "payload", bytes };
      }
    }
  }

  #readHeader(): RequestHeader {
    // Whatever is wrong with it, no byte after this header can be understood.
    this.#step = "broken";
    const header = decodeRequestHeader(this.#gathered.bytes);
    const { version, code, payloadBytes } = header;
    if (version !== V3_VERSION) failV3(`a request has version ${version}`);
    if (payloadBytes > this.#maxPayloadBytes) failV3(`a payload of ${payloadBytes} bytes is over the limit`);
    const sizes = requestSizes(code);
    if (sizes && !sizes.includes(payloadBytes)) failV3(`a request ${code} has ${payloadBytes} bytes`);
    if (sizes) {
      this.#expect("payload", payloadBytes);
      this.#left = 0;
    } else if (code === REQUEST.packet && payloadBytes >= V3_BYTES.packetHead) {
      this.#expect("packet", V3_BYTES.packetHead);
      this.#left = payloadBytes - V3_BYTES.packetHead;
    } else {
      this.#step = "dropped";
      this.#left = payloadBytes;
    }
    return header;
  }

  #expect(step: "header" | "payload" | "packet", bytes: number): void {
    this.#step = step;
    this.#gathered.expect(bytes);
  }
}

/** Replies, each as a whole. After it has thrown `v3_protocol` nothing more can be read. */
export class ReplyReader {
  readonly #gathered = new Gatherer(V3_BYTES.replyHeader);
  #code: Reply["code"] | undefined;
  #broken = false;

  *push(slice: Uint8Array): Generator<Reply, void, undefined> {
    let rest = slice;
    for (;;) {
      if (this.#broken) failV3("a frame before this one was broken");
      rest = this.#gathered.take(rest);
      if (!this.#gathered.isFull) return;
      this.#broken = true;
      const reply = this.#step();
      this.#broken = false;
      if (reply) yield reply;
    }
  }

  #step(): Reply | undefined {
    const code = this.#code;
    if (code === undefined) {
      const header = decodeReplyHeader(this.#gathered.bytes);
      this.#code = header.code;
      this.#gathered.expect(header.payloadBytes);
      return undefined;
    }
    const reply = decodeReply(code, this.#gathered.bytes);
    this.#code = undefined;
    this.#gathered.expect(V3_BYTES.replyHeader);
    return reply;
  }
}

/** Puts together a known, small number of bytes. */
class Gatherer {
  readonly #buffer = new Uint8Array(V3_BYTES.name + V3_BYTES.longPublicKey);
  #wanted: number;
  length = 0;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  get isFull(): boolean {
    return this.length === this.#wanted;
  }

  /** Valid until more is taken. */
  get bytes(): Bytes {
    return this.#buffer.subarray(0, this.length);
  }

  expect(bytes: number): void {
    this.#wanted = bytes;
    this.length = 0;
  }

  /** Gives what it did not need. */
  take(slice: Uint8Array): Uint8Array {
    const taken = slice.subarray(0, this.#wanted - this.length);
    this.#buffer.set(taken, this.length);
    this.length += taken.length;
    return slice.subarray(taken.length);
  }
}
