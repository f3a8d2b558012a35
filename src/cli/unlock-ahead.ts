// Begins the slow part of unlocking, scrypt, before the command that will need it is even loaded: in its own thread it costs no time then.
// It looks at the plain cases only (a vault in a folder with one passphrase, named by flags or variables), decides nothing and reports
// nothing: whatever is odd is left to the command, which reads everything again the proper way.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { deriveAhead } from "../client/scrypt.ts";
import { COMMANDS } from "./command-list.ts";

/** The passphrase's line of an age file's header. */
const STANZA = /^-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)$/m;
const KEYSLOT_MAX_BYTES = 64 * 1024;
/** What other work factors cost is not spent on a guess. */
const MAX_LOG_N = 18;

type Environment = Readonly<Record<string, string | undefined>>;

/** True when a derivation was begun. */
export function unlockAhead(argv: readonly string[], env: Environment): boolean {
  try {
    const [name] = argv;
    if (!COMMANDS.some((command) => command.unlocks && command.name === name)) return false;
    if (["--help", "-h", "--"].some((word) => argv.includes(word)) || flag(argv, "--identity-file")) return false;
    const passphrase = givenPassphrase(argv, env);
    const vault = flag(argv, "--vault") ?? env.CYBERBACKUP_VAULT;
    const stanza = passphrase && vault && !vault.includes("://") ? onlyStanza(join(vault, "keys")) : undefined;
    if (!passphrase || !stanza || stanza.logN > MAX_LOG_N) return false;
    deriveAhead({ passphrase, ...stanza });
    return true;
  } catch {
    return false;
  }
}

/** `--name value` or `--name=value`. */
function flag(argv: readonly string[], name: string): string | undefined {
  const at = argv.indexOf(name);
  return at >= 0 ? argv[at + 1] : argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

function givenPassphrase(argv: readonly string[], env: Environment): string | undefined {
  const file = flag(argv, "--passphrase-file");
  if (file === undefined && env.CYBERBACKUP_PASSPHRASE) return env.CYBERBACKUP_PASSPHRASE;
  const path = file ?? env.CYBERBACKUP_PASSPHRASE_FILE;
  // Anything but a file may give its bytes only once.
  if (path === undefined || !statSync(path).isFile()) return undefined;
  return readFileSync(path, "utf8")
    .replace(/^\ufeff/, "")
    .split(/\r?\n/, 1)[0];
}

/** Of several it could be any. */
function onlyStanza(folder: string): { readonly salt: Uint8Array; readonly logN: number } | undefined {
  const found = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const match = statSync(path).size <= KEYSLOT_MAX_BYTES ? STANZA.exec(readFileSync(path, "latin1")) : null;
    return match ? [{ salt: Buffer.from(match[1]!, "base64"), logN: Number(match[2]) }] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}
