// The pieces that several JSON documents share. The documents themselves, and what may change in them: json-schema.ts.

import { z } from "zod";

export const summary = <const Name extends string, Shape extends z.core.$ZodLooseShape>(command: Name, shape: Shape) =>
  z.strictObject({ type: z.literal("summary"), command: z.literal(command), ...shape });
export const result = <const Name extends string, Shape extends z.core.$ZodLooseShape>(command: Name, shape: Shape) =>
  z.strictObject({ type: z.literal("result"), command: z.literal(command), ...shape });

export const time = z.iso.datetime({ precision: 3 }).describe("time in UTC, ISO 8601");
export const id = z.string().regex(/^[0-9a-f]+$/);
export const count = z.int().min(0);
export const bytes = z.int().min(0).describe("bytes");
export const path = z.string().describe("path as text; bytes that are not UTF-8 show as U+FFFD");
export const pathBase64 = z.base64().optional().describe("the path's bytes, where they are not UTF-8");

export const errorSchema = z.strictObject({
  type: z.literal("error"),
  code: z.string().describe("from the table in errors.md"),
  message: z.string(),
  hint: z.string().describe("what to do next"),
  exit: z.int().describe("exit code of the process"),
});

export const progressSchema = z.strictObject({
  type: z.literal("progress"),
  command: z.string(),
  phase: z.string().optional(),
  files: count.optional().describe("files that are done"),
  bytes: bytes.optional().describe("bytes that are done"),
  totalFiles: count.optional().describe("only where it is known"),
  totalBytes: bytes.optional().describe("only where it is known"),
  addedBytes: bytes.optional().describe("sealed bytes stored so far"),
  problems: count.optional(),
  current: z.string().optional().describe("what is being worked on"),
  elapsedMs: z.number(),
});

export const problemSchema = z.strictObject({
  path: path.describe("what it is about: a path, or the name of an object of the vault"),
  pathBase64,
  code: z.string().describe("from errors.md, or the system's error code"),
  detail: z.string().optional(),
});

export const snapshotSchema = z.strictObject({
  id: id.describe("snapshotId; any prefix that fits one snapshot will do in commands"),
  time: time.describe("when the vault received it"),
  startedAt: time.optional(),
  endedAt: time.optional().describe("by the device's clock"),
  device: id,
  deviceName: z.string().optional(),
  host: z.string().optional(),
  user: z.string().optional(),
  plan: z.string().optional(),
  tags: z.array(z.string()).optional(),
  paths: z.array(path).optional(),
  program: z.string().optional(),
  state: z.enum(["live", "trash"]),
  trashedAt: time.optional(),
  pinned: z.boolean(),
  pinnedUntil: time.optional().describe("absent for a pin without end"),
  addedBytes: bytes.describe("sealed bytes that its run added"),
  files: count.optional(),
  directories: count.optional(),
  bytes: bytes.optional().describe("sum of the sizes of all files"),
  unreadable: count.optional().describe("source files that could not be read"),
  error: z
    .string()
    .optional()
    .describe("why its record cannot be read; only what the vault itself knows is given then"),
});

export const entrySchema = z.strictObject({
  path,
  pathBase64,
  kind: z.enum(["file", "directory", "symlink", "fifo", "char-device", "block-device", "socket"]),
  size: bytes.optional(),
  mode: z.string().regex(/^[0-7]{4}$/),
  uid: count,
  gid: count,
  user: z.string().optional(),
  group: z.string().optional(),
  mtime: z.string().describe("ISO 8601 in UTC with nanoseconds"),
  linkTarget: z.string().optional(),
  changed: z.literal(true).optional().describe("the file changed while it was read"),
});

export const keyslotSchema = z.strictObject({
  id,
  kind: z.enum(["passphrase", "recovery", "passkey", "recipient"]),
  label: z.string(),
  addedAt: time,
});
export const trustGroup = z
  .string()
  .nullable()
  .describe(
    "with which machines it shares stored pieces: those of the same group, empty: the group of all, null: none",
  );

export const deviceSchema = z.strictObject({
  id,
  name: z.string(),
  revoked: z.boolean(),
  current: z.boolean().describe("this machine"),
  group: trustGroup,
});
export const lines = z.array(
  z.strictObject({ id, time, plan: z.string().optional(), reasons: z.array(z.string()).optional() }),
);
