// The programs that take turns: CyberBackup and its peers, each with a repository of its own in the case's folder.
// All encrypt, each with the compression that it has by default.
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contender } from "./case.ts";
import { CHECKOUT, emptyFolder, remove, storedBytes, warm, work } from "./folders.ts";
import { type Command, run } from "./measure.ts";

const PASSPHRASE = "only for measuring";
const LAUNCHER = join(CHECKOUT, "cyberbackup");

export type BackupProgram = {
  readonly name: string;
  /** The folder of its repository or vault. */
  readonly repository: string;
  /** A fresh repository, and no memory of an older one. */
  readonly init: () => Promise<void>;
  readonly backup: (path: string) => Command;
  /** Restores the latest snapshot. */
  readonly restore: (target: string) => Command;
  readonly snapshots: () => Command;
  /** Most memory of a server that works for it. */
  readonly serverPeak?: () => Promise<number>;
};

export function cyberbackup(caseName: string): BackupProgram {
  const place = work("runs", caseName, "cyberbackup");
  const repository = join(place, "vault");
  const env = { CYBERBACKUP_PASSPHRASE: PASSPHRASE, CYBERBACKUP_HOME: join(place, "home") };
  const command = (...args: string[]): Command => ({ argv: [LAUNCHER, ...args, "--vault", repository], env });
  return {
    name: "cyberbackup",
    repository,
    init: async () => {
      await emptyFolder(place);
      await run(command("init"));
    },
    backup: (path) => command("backup", path, "--quiet"),
    restore: (target) => command("restore", "latest", "--target", target, "--quiet"),
    snapshots: () => command("snapshots"),
  };
}

export function restic(caseName: string): BackupProgram {
  const place = work("runs", caseName, "restic");
  const repository = join(place, "repository");
  const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: PASSPHRASE, RESTIC_CACHE_DIR: join(place, "cache") };
  const command = (...args: string[]): Command => ({ argv: ["restic", ...args], env });
  return {
    name: "restic",
    repository,
    init: async () => {
      await emptyFolder(place);
      // Version 2 is the one that compresses.
      await run(command("init", "--repository-version", "2"));
    },
    backup: (path) => command("backup", "--quiet", path),
    restore: (target) => command("restore", "latest", "--quiet", "--target", target),
    snapshots: () => command("snapshots"),
  };
}

/** With `overPipe` the repository is kept by another process (`borg serve`), as over SSH but without its encryption. */
export function borg(caseName: string, overPipe = false): BackupProgram {
  const place = work("runs", caseName, "borg");
  const repository = join(place, "repository");
  const remoteShell = join(place, "serve");
  const env = {
    BORG_REPO: overPipe ? `ssh://pipe${repository}` : repository,
    BORG_PASSPHRASE: PASSPHRASE,
    BORG_BASE_DIR: place,
    BORG_RSH: remoteShell,
  };
  const command = (...args: string[]): Command => ({ argv: ["borg", ...args], env });
  return {
    name: overPipe ? "borg over a pipe" : "borg",
    repository,
    init: async () => {
      await emptyFolder(place);
      await writeFile(remoteShell, "#!/bin/sh\nexec borg serve\n", { mode: 0o700 });
      await run(command("init", "--encryption", "repokey-blake2"));
    },
    backup: (path) => command("create", "::{utcnow:%Y-%m-%dT%H.%M.%S.%f}", path),
    restore: () => {
      throw new Error("borg extracts by archive name; no case restores with it");
    },
    snapshots: () => command("list"),
  };
}

/** A fresh repository before each run. */
export function firstBackup(program: BackupProgram, path: string): Contender {
  return {
    name: program.name,
    ...(program.serverPeak && { serverPeak: program.serverPeak }),
    before: program.init,
    command: () => program.backup(path),
    stored: () => storedBytes(program.repository),
  };
}

/** One repository for all runs, with a backup already in it. */
export function laterBackup(program: BackupProgram, path: string): Contender {
  return {
    name: program.name,
    ...(program.serverPeak && { serverPeak: program.serverPeak }),
    setup: async () => {
      await program.init();
      await run(program.backup(path));
    },
    command: () => program.backup(path),
    stored: () => storedBytes(program.repository),
  };
}

/** Restores into an empty folder, from a repository that lies in the page cache. */
export function restored(program: BackupProgram, path: string): Contender {
  const target = newTargets(join(program.repository, "..", "restored"));
  return {
    name: program.name,
    ...(program.serverPeak && { serverPeak: program.serverPeak }),
    setup: async () => {
      await program.init();
      await run(program.backup(path));
      await warm(program.repository);
    },
    command: () => program.restore(target()),
  };
}

/**
 * A path of its own for each turn. The one before is not removed: for five minutes ext4 passes over every inode that was just deleted,
 * and whoever makes files then pays for it.
 */
function newTargets(base: string): () => string {
  let turn = 0;
  return () => `${base}-${++turn}`;
}

/** The floor of a first backup: no encryption, no deduplication, no second run. */
export function tarZstd(caseName: string, path: string): Contender {
  const file = work("runs", caseName, "tar.zst");
  return {
    name: "tar | zstd -3 -T2",
    before: () => remove(file),
    command: () => ({ argv: ["sh", "-c", 'tar -C "$1" -cf - . | zstd -3 -T2 -q -o "$2"', "sh", path, file] }),
    stored: () => storedBytes(file),
  };
}

export function copy(caseName: string, path: string): Contender {
  const target = newTargets(work("runs", caseName, "copied", "tree"));
  return {
    name: "cp -r",
    setup: async () => {
      await emptyFolder(work("runs", caseName, "copied"));
    },
    command: () => ({ argv: ["cp", "-r", path, target()] }),
  };
}

export function findList(path: string): Contender {
  return { name: "find -ls", command: () => ({ argv: ["find", path, "-ls"] }) };
}

/** What of the peers is missing here, as a line for a person; undefined when all is there. */
export function missingPeer(): string | undefined {
  const packages = { restic: "restic", borg: "borgbackup", zstd: "zstd", tar: "tar", find: "findutils" };
  const missing = Object.entries(packages).filter(
    ([program]) => !existsSync(`/usr/bin/${program}`) && !existsSync(`/bin/${program}`),
  );
  if (missing.length === 0) return undefined;
  return `Peers are missing: apt-get install ${missing.map(([, debian]) => debian).join(" ")}`;
}

export async function versions(): Promise<Record<string, string>> {
  const firstLine = async (...argv: [string, ...string[]]) => (await run({ argv })).split("\n", 1)[0] ?? "";
  const { version } = JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as { version: string };
  const commit = await firstLine("git", "-C", CHECKOUT, "rev-parse", "--short", "HEAD").catch(() => "no checkout");
  const found = {
    restic: await firstLine("restic", "version"),
    borg: await firstLine("borg", "--version"),
    zstd: await firstLine("zstd", "--version"),
    tar: await firstLine("tar", "--version"),
  };
  const numbers = Object.entries(found).map(([name, line]) => [name, /\d+\.\d+(\.\d+)?/.exec(line)?.[0] ?? line]);
  return { cyberbackup: `${version} (${commit})`, node: process.versions.node, ...Object.fromEntries(numbers) };
}
