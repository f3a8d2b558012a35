// What a run and a seal worker of its own say to each other, on threads of Node and in workers of a browser. Buffers are transferred,
// never copied.

import type { Bytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { BlockKind } from "../../wire/v4/vault-port.ts";
import type { SealWorkerKeys } from "./seal-worker.ts";
import type { FinishedBlock, ReadJob, ReadResult, ScanJob, ScanResult, SealWorkerPort } from "./types.ts";

export type WorkerSetup = { readonly keys: SealWorkerKeys };

export type ToWorker =
  | { readonly do: "read"; readonly id: number; readonly job: ReadJob }
  | { readonly do: "assign"; readonly id: number; readonly counters: Int32Array }
  | { readonly do: "scan"; readonly id: number; readonly job: ScanJob }
  | { readonly do: "inspect"; readonly id: number; readonly path: RawPath }
  | {
      readonly do: "seal";
      readonly kind: BlockKind;
      readonly counter: number;
      readonly payload: Bytes;
      readonly chunkIds: Bytes;
    }
  | { readonly do: "flush"; readonly id: number };

export type FromWorker =
  | { readonly done: "read"; readonly id: number; readonly result: ReadResult }
  | { readonly done: "scan"; readonly id: number; readonly result: ScanResult }
  | { readonly done: "inspect"; readonly id: number; readonly result: Awaited<ReturnType<SealWorkerPort["inspect"]>> }
  | { readonly done: "flush"; readonly id: number }
  | { readonly done: "block"; readonly block: FinishedBlock }
  | { readonly done: "spare"; readonly buffer: ArrayBuffer }
  | { readonly done: "failed"; readonly message: string };
