// Is package-lock.json whole? `npm ci` refuses a lock in which an optional platform package has no entry, even one for a
// system that it would never install on, and `npm install` drops such entries when its registry does not carry the
// package. `node scripts/lock.ts --fix` writes them back: name, version and platform, which the parent's entry implies.
import { readFileSync, writeFileSync } from "node:fs";

type LockEntry = {
  version?: string;
  optional?: boolean;
  dev?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
};
export type Lock = { packages: Record<string, LockEntry> };
type Missing = { key: string; entry: LockEntry };

/** The optional packages that an entry of the lock asks for with an exact version, and that have no entry themselves. */
export function missingEntries(lock: Lock): Missing[] {
  const missing = new Map<string, LockEntry>();
  for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (!isExact(version) || isPresent(lock, parent, name)) continue;
      const kind = dev === true ? { dev: true } : {};
      missing.set(`node_modules/${name}`, { version, ...platformOf(name), ...kind, optional: true });
    }
  }
  return [...missing].map(([key, entry]) => ({ key, entry }));
}

export function withEntries(lock: Lock, missing: readonly Missing[]): Lock {
  const all = [...Object.entries(lock.packages), ...missing.map(({ key, entry }) => [key, entry] as const)];
  all.sort(([a], [b]) => a.localeCompare(b, "en"));
  return { ...lock, packages: Object.fromEntries(all) };
}

function isExact(range: string): boolean {
  return /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range);
}

function isPresent(lock: Lock, parent: string, name: string): boolean {
  return `node_modules/${name}` in lock.packages || `${parent}/node_modules/${name}` in lock.packages;
}

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

/** `@scope/binding-linux-arm-gnueabihf` names its platform: linux, arm, glibc. */
function platformOf(name: string): Pick<LockEntry, "os" | "cpu" | "libc"> {
  const words = name.slice(name.indexOf("/") + 1).split("-");
  const os = words.filter((word) => SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  const libc = words.flatMap((word) => (word.startsWith("musl") ? ["musl"] : word.startsWith("gnu") ? ["glibc"] : []));
  if (os.length === 0 && cpu.length === 0)
    throw new Error(`${name} does not name its platform; add its entry by hand.`);
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) };
}

if (import.meta.main) {
  const path = new URL("../package-lock.json", import.meta.url);
  const lock = JSON.parse(readFileSync(path, "utf8")) as Lock;
  const missing = missingEntries(lock);
  if (process.argv.includes("--fix")) {
    writeFileSync(path, `${JSON.stringify(withEntries(lock, missing), null, 2)}\n`);
    console.log(`package-lock.json: ${missing.length} entries added`);
  } else if (missing.length > 0) {
    for (const { key } of missing) console.error(`package-lock.json has no entry for ${key}`);
    console.error("npm ci would refuse it. Run: node scripts/lock.ts --fix");
    process.exitCode = 1;
  } else {
    console.log("package-lock.json is whole");
  }
}
