// Walks a snapshot depth first, in the order in which it was backed up. A directory that cannot be read is a step of its own, and
// the walk goes on. Depth and memory are bounded whatever the tree says: frames far up are dropped and read again on the way back.

import { AppError, isAppError, throwIfAborted } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import type { TreeSegment } from "../../wire/v4/tree.ts";
import { ENTRY, type OwnerNames, type TreeEntry } from "../../wire/v4/tree-types.ts";
import type { VaultReader } from "./reader.ts";
import { type FoundEntry, ROOT_PATH, readSegment, segmentCount, segmentId } from "./tree-reader.ts";

export const MAX_DEPTH = 4096;
/** Decoded entries that all frames together may hold. */
const HELD_ENTRIES_MAX = 100_000;

export type WalkStep = {
  readonly kind: "enter" | "entry" | "leave" | "problem";
  readonly path: RawPath;
  readonly entry: TreeEntry;
  readonly owners: OwnerNames;
  /** Only of a problem: why the directory, or the rest of it, cannot be read. */
  readonly error?: AppError;
};

export type WalkOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Asked for each directory before it is read; false passes over it (it then comes as an `entry`). */
  readonly descend?: ((path: RawPath, entry: TreeEntry) => boolean) | undefined;
};

type Frame = {
  readonly found: FoundEntry;
  /** What the paths of its entries start with. */
  readonly base: string;
  segmentIndex: number;
  entryIndex: number;
  /** Last name of the segment before this one. */
  after: RawPath | undefined;
  /** Dropped when memory is short. */
  segment: TreeSegment | undefined;
};

/**
 * Steps below `start`: a directory gives `enter`, its entries, `leave`; anything else gives `entry`. After a `problem` the
 * directory is left as usual.
 */
export async function* walkTree(
  reader: VaultReader,
  start: FoundEntry,
  options: WalkOptions = {},
): AsyncGenerator<WalkStep> {
  for await (const stretch of walkStretches(reader, start, options)) yield* stretch;
}

/** The same in stretches that need nothing to be read: taking a step costs no promise. Each is to be used up before the next. */
export async function* walkStretches(
  reader: VaultReader,
  start: FoundEntry,
  options: WalkOptions = {},
): AsyncGenerator<Iterable<WalkStep>> {
  if (start.entry.type !== ENTRY.directory) {
    yield [{ kind: "entry", ...start }];
    return;
  }
  yield [{ kind: "enter", ...start }];
  const stack = [frameOf(start)];
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    throwIfAborted(options.signal);
    const problem = await loadSegment(reader, frame, stack);
    if (problem) {
      yield [{ kind: "problem", ...frame.found, error: problem }];
      frame.segmentIndex = segmentCount(frame.found.entry);
    }
    if (frame.segment) {
      yield segmentSteps(frame, frame.segment, stack, options);
    } else {
      stack.pop();
      yield [{ kind: "leave", ...frame.found }];
    }
  }
}

/** The rest of the frame's segment up to the first directory that is to be read, which goes on the stack. */
function* segmentSteps(
  frame: Frame,
  { entries, owners }: TreeSegment,
  stack: Frame[],
  { descend }: WalkOptions,
): Generator<WalkStep> {
  while (frame.entryIndex < entries.length) {
    const entry = entries[frame.entryIndex++]!;
    const path = (frame.base + entry.name) as RawPath;
    if (entry.type !== ENTRY.directory || descend?.(path, entry) === false) {
      yield { kind: "entry", path, entry, owners };
      continue;
    }
    yield { kind: "enter", path, entry, owners };
    if (stack.length < MAX_DEPTH) {
      stack.push(frameOf({ path, entry, owners }));
      return;
    }
    const error = new AppError("limit", { context: { what: "The depth of folders", limit: MAX_DEPTH } });
    yield { kind: "problem", path, entry, owners, error };
    yield { kind: "leave", path, entry, owners };
  }
  nextSegment(frame);
}

function frameOf(found: FoundEntry): Frame {
  const base = found.path === ROOT_PATH ? "/" : `${found.path}/`;
  return { found, base, segmentIndex: 0, entryIndex: 0, after: undefined, segment: undefined };
}

function nextSegment(frame: Frame): void {
  frame.after = frame.segment?.entries.at(-1)?.name ?? frame.after;
  frame.segment = undefined;
  frame.segmentIndex++;
  frame.entryIndex = 0;
}

/** Makes the frame's segment present if it has one more. Gives the error when it cannot be read. */
async function loadSegment(reader: VaultReader, frame: Frame, stack: readonly Frame[]): Promise<AppError | undefined> {
  const { found, segmentIndex, after } = frame;
  if (frame.segment || segmentIndex >= segmentCount(found.entry)) return undefined;
  try {
    const segment = await readSegment(reader, found.entry, segmentIndex, after, { path: rawToText(found.path) });
    frame.segment = segment;
    dropFarFrames(stack);
    await locateBelow(reader, frame, segment);
    return undefined;
  } catch (error) {
    if (!isAppError(error) || error.retry) throw error;
    frame.segment = undefined;
    return error;
  }
}

/** One question for the next segment and for all directories of this one. */
async function locateBelow(reader: VaultReader, frame: Frame, { entries }: TreeSegment): Promise<void> {
  if (frame.entryIndex > 0) return;
  const { entry } = frame.found;
  const ahead = entries.flatMap((child) => (child.type === ENTRY.directory ? [segmentId(child, 0)] : []));
  if (frame.segmentIndex + 1 < segmentCount(entry)) ahead.unshift(segmentId(entry, frame.segmentIndex + 1));
  if (ahead.length > 0) await reader.locateAhead(ahead);
}

function dropFarFrames(stack: readonly Frame[]): void {
  let held = 0;
  for (const frame of stack.toReversed()) {
    held += frame.segment?.entries.length ?? 0;
    if (held > HELD_ENTRIES_MAX && frame !== stack.at(-1)) frame.segment = undefined;
  }
}
