// Details of a run, in the words of its device: what was to be backed up, and what could not be read. They hold names, so they travel sealed.

import type { Bytes } from "../core/bytes.ts";
import type { RandomSource } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { DeviceId, SessionId, VaultId } from "../core/ids.ts";
import { type RawPath, rawToBytes } from "../core/raw-path.ts";
import type { MacKey } from "../crypto/primitives.ts";
import { type RunDetails, runDetailsSchema } from "../wire/v4/run-details.ts";
import { META_BODY_BYTES, META_RUN_DETAILS, openMeta, sealMeta } from "./sealed-meta.ts";

export type RunAbout = { readonly vault: VaultId; readonly device: DeviceId; readonly run: SessionId };

export type RunWords = {
  readonly plan: string;
  readonly host: string;
  readonly paths: readonly RawPath[];
  readonly message: string;
  readonly problems: readonly { readonly path: RawPath; readonly code: string }[];
  readonly problemCount: number;
};

/** What does not fit is counted. */
export async function sealRunDetails(
  metaKey: MacKey,
  about: RunAbout,
  words: RunWords,
  random: RandomSource,
): Promise<Bytes> {
  return sealMeta(metaKey, metaOf(about), fitted(words), random);
}

/** Throws `record_corrupt`, `vault_version`. */
export async function openRunDetails(metaKey: MacKey, about: RunAbout, sealed: Uint8Array): Promise<RunDetails> {
  const judged = runDetailsSchema.safeParse(await openMeta(metaKey, metaOf(about), sealed));
  if (judged.success) return judged.data;
  throw new AppError("record_corrupt", {
    context: { what: "What a device sealed about a run", detail: "it is not as it should be" },
  });
}

function metaOf({ vault, device, run }: RunAbout) {
  return { kind: META_RUN_DETAILS, vault, device, id: run, version: 0 } as const;
}

const MOST_TEXT = 1000;
/** MessagePack's own bytes for one item, at the most. */
const ITEM_BYTES = 32;

function fitted({ plan, host, paths, message, problems, problemCount }: RunWords): RunDetails {
  let roomBytes = META_BODY_BYTES - 3 * 3 * MOST_TEXT - 1024;
  const fits = (bytes: Bytes, more = 0): boolean => {
    roomBytes -= bytes.length + more + ITEM_BYTES;
    return roomBytes >= 0;
  };
  const listedPaths = paths.map(rawToBytes).filter((bytes) => fits(bytes));
  const listed = problems
    .map(({ path, code }) => ({ path: rawToBytes(path), code: code.slice(0, 64) }))
    .filter((problem) => fits(problem.path, 64));
  return {
    plan: short(plan),
    host: short(host),
    paths: listedPaths,
    message: short(message),
    problems: listed,
    more: Math.max(0, problemCount - listed.length),
  };
}

/** A surrogate that is cut in two is no text. */
function short(text: string): string {
  return text.slice(0, MOST_TEXT).toWellFormed();
}
