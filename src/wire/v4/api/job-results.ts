// What jobs answer, by kind: the results of the admin port (admin-port.ts) as JSON. A client checks them like every other answer.

import { z } from "zod";
import { ID_BYTES, type PackId, type SnapshotId } from "../../../core/ids.ts";
import type { CheckReport, GcPlan, GcResult, Problem, RebuildReport, ScrubReport } from "../admin-port.ts";
import { hexId, whole } from "./coding.ts";

const snapshots = z.array(hexId<SnapshotId>(ID_BYTES.snapshot));
const packId = hexId<PackId>(ID_BYTES.pack);
const bytes = z.number().int();
/** A code that this program does not know is still one. */
const problem = z.object({
  object: z.string(),
  code: z.string() as unknown as z.ZodType<Problem["code"], string>,
  detail: z.string(),
});

/** What is more than this, a newer server adds. */
export const JOB_RESULTS = {
  gcPlan: z.object({
    purge: snapshots,
    remove: z.array(packId),
    compact: z.array(z.array(packId)),
    keptPacks: whole,
    freedBytes: bytes,
    copiedBytes: whole,
  }) satisfies z.ZodType<GcPlan>,
  gc: z.object({
    purgedSnapshots: snapshots,
    removedPacks: whole,
    compactedPacks: whole,
    writtenPacks: whole,
    freedBytes: bytes,
    removedOrphans: z.array(z.string()),
    unexpected: z.array(z.string()),
  }) satisfies z.ZodType<GcResult>,
  scrub: z.object({
    packs: whole,
    blocks: whole,
    bytes: whole,
    quarantined: z.array(whole),
    problems: z.array(problem),
  }) satisfies z.ZodType<ScrubReport>,
  check: z.object({
    objects: whole,
    blocks: whole,
    bytesRead: whole,
    problems: z.array(problem),
  }) satisfies z.ZodType<CheckReport>,
  rebuild: z.object({
    packs: whole,
    blocks: whole,
    logEntries: whole,
    problems: z.array(problem),
  }) satisfies z.ZodType<RebuildReport>,
  trash: z.object({ purgedSnapshots: snapshots }),
} as const;
