// The secret that signs cookies and seals authenticators' keys: 32 random bytes in DATA/auth-secret (mode 0600), made at the first
// start. Without it, a copy of server.db signs nobody in. Whoever loses it has to sign in again and set up authenticators anew.

import { join } from "node:path";
import { tryUtf8Decode } from "../../core/bytes.ts";
import type { RandomSource } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";

const FILE = "auth-secret";

export async function authSecret(dataFolder: string, random: RandomSource): Promise<string> {
  const path = join(dataFolder, FILE);
  const stored = await readFileIfExists(path);
  if (stored === undefined) {
    const made = Buffer.from(random.bytes(32)).toString("base64url");
    await writeFileAtomic(path, `${made}\n`);
    return made;
  }
  const secret = (tryUtf8Decode(stored) ?? "").trim();
  if (!/^[\w-]{43}$/.test(secret)) throw new AppError("io", { context: { path, detail: "It is damaged." } });
  return secret;
}
