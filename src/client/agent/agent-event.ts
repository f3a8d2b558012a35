// What the agent tells whoever watches it: a terminal, a log. Names of plans are in it, so it must not go to a server as it is.

import type { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { LastRun, Trigger } from "./plan-memory.ts";

export type AgentEvent =
  | { readonly type: "started"; readonly vaults: number; readonly plans: number }
  | { readonly type: "plan-problem"; readonly vault: VaultId; readonly plan: string; readonly error: AppError }
  | { readonly type: "skipped"; readonly vault: VaultId; readonly plan: string; readonly moment: number }
  | {
      readonly type: "run-started";
      readonly vault: VaultId;
      readonly plan: string;
      readonly run: string;
      readonly trigger: Trigger;
    }
  | {
      readonly type: "run-ended";
      readonly vault: VaultId;
      readonly plan: string;
      readonly last: LastRun;
      readonly error: AppError | undefined;
      readonly retryAt: number | undefined;
    }
  | { readonly type: "slept"; readonly ms: number }
  | { readonly type: "connected"; readonly vault: VaultId }
  | { readonly type: "disconnected"; readonly vault: VaultId; readonly error: AppError; readonly waitMs: number }
  | { readonly type: "command"; readonly vault: VaultId; readonly kind: string; readonly plan: string | undefined }
  | {
      readonly type: "plan-taken";
      readonly vault: VaultId;
      readonly plan: string;
      readonly conflict: string | undefined;
    }
  | { readonly type: "plan-refused"; readonly vault: VaultId; readonly plan: string; readonly error: AppError }
  /** A bug, or a disk that fails: the agent goes on. */
  | { readonly type: "trouble"; readonly vault: VaultId; readonly plan: string | undefined; readonly error: unknown }
  | { readonly type: "stopped" };
