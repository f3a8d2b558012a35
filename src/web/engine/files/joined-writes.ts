// Puts the pieces of a file together before they are written: for each write the browser makes a pipe to its own process, of memory that is
// new each time, and pieces come in the order of blocks, which is nearly that of the file. What is given is copied, so it is its giver's
// again as soon as `add` has ended; what a write throws, a later call throws.

const WINDOW_BYTES = 8 * 2 ** 20;
/** Windows that are being filled; neighbours of what is written lie a few blocks ahead at most. */
const OPEN_MAX = 2;

/** A part of the file, from a multiple of its size on. */
type Window = { readonly start: number; readonly buffer: Uint8Array<ArrayBuffer>; filled: number; runs: Run[] };

/** Bytes that are there, from `from` to before `to`. */
type Run = { from: number; to: number };

export class JoinedWrites {
  readonly #writable: FileSystemWritableFileStream;
  readonly #sizeBytes: number;
  readonly #windows: Window[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #writing: Promise<void> = Promise.resolve();
  #line: Promise<void> = Promise.resolve();

  /** `sizeBytes`: of the whole file, so that small ones take little. */
  constructor(writable: FileSystemWritableFileStream, sizeBytes: number) {
    this.#writable = writable;
    this.#sizeBytes = sizeBytes;
  }

  /** May be called again before the last one has ended. No byte twice. */
  add(position: number, data: Uint8Array): Promise<void> {
    return this.#inLine(() => this.#add(position, data));
  }

  async end(): Promise<void> {
    await this.#inLine(async () => {
      for (const window of this.#windows.splice(0)) await this.#write(window);
    });
    await this.#writing;
  }

  #inLine(work: () => Promise<void>): Promise<void> {
    this.#line = this.#line.then(work);
    this.#line.catch(() => undefined);
    return this.#line;
  }

  async #add(position: number, data: Uint8Array): Promise<void> {
    if (data.length === this.#sizeBytes) return this.#writeNow(position, data);
    for (let at = 0; at < data.length; ) {
      const window = await this.#windowAt(position + at);
      const from = position + at - window.start;
      const part = data.subarray(at, at + window.buffer.length - from);
      // The size is not to be trusted; whoever reads the file again is the judge.
      if (part.length === 0) return this.#writeNow(position + at, data.subarray(at));
      window.buffer.set(part, from);
      addRun(window.runs, { from, to: from + part.length });
      window.filled += part.length;
      at += part.length;
      if (window.filled < window.buffer.length) continue;
      this.#windows.splice(this.#windows.indexOf(window), 1);
      await this.#write(window);
    }
  }

  #writeNow(position: number, data: Uint8Array): Promise<void> {
    return this.#writable.write({ type: "write", position, data: data as Uint8Array<ArrayBuffer> });
  }

  async #windowAt(position: number): Promise<Window> {
    const start = position - (position % WINDOW_BYTES);
    const known = this.#windows.find((window) => window.start === start);
    if (known) return known;
    if (this.#windows.length >= OPEN_MAX) await this.#write(this.#windows.shift()!);
    const length = Math.min(WINDOW_BYTES, Math.max(0, this.#sizeBytes - start));
    const buffer = (length === WINDOW_BYTES ? this.#spare.pop() : undefined) ?? new Uint8Array(length);
    const window: Window = { start, buffer, filled: 0, runs: [] };
    this.#windows.push(window);
    return window;
  }

  /** Begins to write what there is, once the last window has been written. */
  async #write({ start, buffer, runs }: Window): Promise<void> {
    await this.#writing;
    const writes = runs.map(({ from, to }) =>
      this.#writable.write({ type: "write", position: start + from, data: buffer.subarray(from, to) }),
    );
    this.#writing = Promise.all(writes).then(() => {
      if (buffer.length === WINDOW_BYTES) this.#spare.push(buffer);
    });
    this.#writing.catch(() => undefined);
  }
}

/** Keeps runs in order; one that touches another becomes one with it. */
function addRun(runs: Run[], added: Run): void {
  const at = runs.findIndex(({ from }) => from >= added.to);
  runs.splice(at < 0 ? runs.length : at, 0, added);
  for (let i = runs.length - 1; i > 0; i--) {
    const [before, after] = [runs[i - 1]!, runs[i]!];
    if (before.to !== after.from) continue;
    before.to = after.to;
    runs.splice(i, 1);
  }
}
