// Last reports of runs that could not be delivered: kept on the device, sent when the server is back. Names in them are sealed already.

import { join } from "node:path";
import { z } from "zod";
import { type Bytes, tryUtf8Decode } from "../../core/bytes.ts";
import { ID_BYTES, type SessionId, type VaultId } from "../../core/ids.ts";
import { base64Bytes, tryParseJson } from "../../crypto/secrets.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";
import { decodeMessage, encodeMessage, hexId } from "../../wire/v4/api/coding.ts";
import { RUN_LIMITS, type RunReport, runReport } from "../../wire/v4/api/run-routes.ts";

export type KeptReport = { readonly run: SessionId; readonly report: RunReport };

export interface ReportStore {
  read(vault: VaultId): Promise<KeptReport[]>;
  /** The newest hundred. */
  write(vault: VaultId, reports: readonly KeptReport[]): Promise<void>;
}

const KEPT = 100;
const schema = z.array(
  z.strictObject({
    run: hexId<SessionId>(ID_BYTES.session),
    report: base64Bytes({ maxLength: RUN_LIMITS.reportBytes }),
  }),
);

/** `dir` is the home folder. A damaged file holds none. */
export function reportFiles(dir: string): ReportStore {
  const pathOf = (vault: VaultId) => join(dir, "agent", vault, ".reports.json");
  return {
    async read(vault) {
      const content = await readFileIfExists(pathOf(vault));
      const judged = schema.safeParse(tryParseJson(tryUtf8Decode(content ?? new Uint8Array()) ?? ""));
      if (!judged.success) return [];
      return judged.data.flatMap(({ run, report }) => {
        const decoded = tryDecode(report);
        return decoded ? [{ run, report: decoded }] : [];
      });
    },
    async write(vault, reports) {
      const content = reports
        .slice(-KEPT)
        .map(({ run, report }) => ({ run, report: encodeMessage(runReport, report).toBase64() }));
      await writeFileAtomic(pathOf(vault), `${JSON.stringify(content)}\n`);
    },
  };
}

/** One of an older program may not be what a server takes any more. */
function tryDecode(bytes: Bytes): RunReport | undefined {
  try {
    return decodeMessage(runReport, bytes);
  } catch {
    return undefined;
  }
}
