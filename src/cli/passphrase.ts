// Where a passphrase or key comes from: a flag wins over a variable, a variable over the settings file, and only when nothing
// is given a person at a terminal is asked. What was typed is never shown, logged or put into an error.

import { readFile } from "node:fs/promises";
import { AppError } from "../core/errors.ts";
import { askSecret, canAsk } from "./ask.ts";
import type { Context } from "./context.ts";
import { passphraseAdvice } from "./passphrase-advice.ts";

export type Credentials = { readonly identity: string } | { readonly passphrase: string | (() => Promise<string>) };

/** What opens the vault. Throws `passphrase_missing` when nothing is given and nobody can be asked. */
export async function credentials(context: Context): Promise<Credentials> {
  const { config, resolved } = context;
  const isFlag = (key: "identityFile" | "passphraseFile"): boolean => resolved.origins[key].startsWith("flag");
  if (config.identityFile && isFlag("identityFile")) return { identity: await readSecret(config.identityFile) };
  if (config.passphraseFile && isFlag("passphraseFile"))
    return { passphrase: await readFirstLine(config.passphraseFile) };
  if (config.passphrase) return { passphrase: config.passphrase };
  if (config.passphraseFile) return { passphrase: await readFirstLine(config.passphraseFile) };
  if (config.identityFile) return { identity: await readSecret(config.identityFile) };
  if (!canAsk(context)) throw new AppError("passphrase_missing");
  return { passphrase: () => askSecret(context, "Passphrase of the vault") };
}

/** True when nobody has to be asked. */
export function hasCredentials({ config }: Context): boolean {
  return Boolean(config.passphrase || config.passphraseFile || config.identityFile);
}

/** A passphrase for a new keyslot: asked for twice, or taken from `file` or what is set. */
export async function newPassphrase(context: Context, what: string, file?: string): Promise<string> {
  const { config } = context;
  if (file !== undefined) return readFirstLine(file);
  if (config.passphraseFile && context.resolved.origins.passphraseFile.startsWith("flag")) {
    return readFirstLine(config.passphraseFile);
  }
  if (config.passphrase) return config.passphrase;
  if (config.passphraseFile) return readFirstLine(config.passphraseFile);
  return askTwice(context, what);
}

export async function askTwice(context: Context, what: string): Promise<string> {
  if (!canAsk(context)) throw new AppError("passphrase_missing");
  for (;;) {
    const first = await askSecret(context, what);
    const advice = passphraseAdvice(first);
    if (advice) context.output.note(advice);
    if ((await askSecret(context, "The same once more")) === first) return first;
    context.output.warn("The two were not the same.");
  }
}

/** The first line of a file, without its line end. Throws `io`; `usage` when it is empty. */
export async function readFirstLine(path: string): Promise<string> {
  const [line = ""] = (await readSecret(path)).replace(/^\ufeff/, "").split(/\r?\n/, 1);
  if (line === "") throw new AppError("usage", { context: { detail: `The first line of ${path} is empty.` } });
  return line;
}

async function readSecret(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new AppError("io", { cause, context: { path, detail: `${(cause as Error).message}.` } });
  }
}
