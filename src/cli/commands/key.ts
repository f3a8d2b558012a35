// `key`: what opens the vault. Every keyslot is a standard age file of its own.

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { nodePlatform } from "../../client/platform.ts";
import { nativeScryptRecipient } from "../../client/scrypt-identity.ts";
import { AppError } from "../../core/errors.ts";
import type { KeyslotId } from "../../core/ids.ts";
import type { KeyslotLock } from "../../crypto/keyslot.ts";
import { generateRecoveryKey, makeKeyslot } from "../../engine/enrol/new-vault.ts";
import type { KeyslotKind } from "../../wire/v4/log-entry.ts";
import { askVault } from "../ask-vault.ts";
import { action, type Context } from "../context.ts";
import { findById } from "../find-by-id.ts";
import { formatTimeAndAge, isoTime } from "../format-time.ts";
import { withVault } from "../open-vault.ts";
import { usage } from "../parse-values.ts";
import { askTwice, readFirstLine } from "../passphrase.ts";
import { addExamples, type Cli } from "../program.ts";
import { showRecoveryKey } from "../recovery-key.ts";
import { shownText } from "../shown-path.ts";
import { table } from "../table.ts";

type AddOptions = {
  readonly newPassphraseFile?: string;
  readonly recovery?: boolean;
  readonly recipient?: string;
  readonly recipientFile?: string;
  readonly label?: string;
};

export function define(command: Command, cli: Cli): void {
  const list = command.command("list").description("List what opens the vault; needs no passphrase.");
  list.action(action(cli, runList));
  addExamples(list, [["cyberbackup key list", ""]]);

  const add = command
    .command("add")
    .description("Add a passphrase, a recovery key, or any age recipient.")
    .option("--new-passphrase-file <file>", "File whose first line is the new passphrase (default: asks).")
    .option("--recovery", "Make a new recovery key and show it once.")
    .option("--recipient <recipient>", "Let whoever holds this recipient's identity read everything.")
    .option("--recipient-file <file>", "The same from a file.")
    .option("--label <text>", "What to call it in the list.")
    .action(action(cli, runAdd));
  addExamples(add, [
    ["cyberbackup key add --label 'Ann at home'", "asks for the present passphrase, then for the new one"],
    ["cyberbackup key add --recovery", "a second recovery key"],
    ["cyberbackup key add --recipient age1yubikey1… --label token", "a hardware token, by its age plug-in"],
  ]);

  const remove = command
    .command("remove")
    .description("Remove a keyslot. Who has opened it before may still know what was in it.")
    .argument("<id>", "Its id or the beginning of it, as in the list.")
    .action(action(cli, runRemove));
  addExamples(remove, [["cyberbackup key remove 5a01", "the last one cannot be removed"]]);
}

async function runList(context: Context): Promise<undefined> {
  const { output, host } = context;
  await withVault(context, async ({ vault }) => {
    const keyslots = await vault.keyslots();
    output.json({
      type: "result",
      command: "key list",
      keyslots: keyslots.map(({ id, kind, label, addedAt }) => ({ id, kind, label, addedAt: isoTime(addedAt) })),
    });
    const columns = ["ID", "Kind", "Label", "Added"].map((title) => ({ title }));
    const rows = keyslots.map(({ id, kind, label, addedAt }) => [
      id.slice(0, 12),
      kind,
      shownText(label),
      formatTimeAndAge(addedAt, host.clock.now()),
    ]);
    for (const line of table(columns, rows, output.paint.bold)) output.print(line);
  });
}

async function runAdd(context: Context, options: AddOptions): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const secrets = await opened.secrets();
    const { lock, kind, recoveryKey } = await newLock(context, options);
    const label = options.label ?? kind;
    const { vault } = opened;
    const signer = await opened.signer();
    const { file, id, statement } = await makeKeyslot({
      ...{ secrets, vaultId: vault.vaultId, signer, lock, kind, label },
      scrypt: nativeScryptRecipient,
    });
    await opened.admin.apply(statement, file);
    output.say(`Keyslot ${id.slice(0, 12)} (${kind}, ${shownText(label)}) opens the vault from now on.`);
    if (recoveryKey !== undefined) showRecoveryKey(context, recoveryKey);
    output.json({
      type: "result",
      command: "key add",
      id,
      kind,
      label,
      ...(recoveryKey === undefined ? {} : { recoveryKey }),
    });
  });
}

type NewLock = { readonly lock: KeyslotLock; readonly kind: KeyslotKind; readonly recoveryKey?: string };

async function newLock(context: Context, options: AddOptions): Promise<NewLock> {
  const { newPassphraseFile, recovery, recipient, recipientFile } = options;
  const given = [newPassphraseFile, recovery, recipient, recipientFile].filter((option) => option !== undefined);
  if (given.length > 1) throw usage("Give one of --new-passphrase-file, --recovery, --recipient and --recipient-file.");
  if (recovery) {
    const key = await generateRecoveryKey(nodePlatform.random);
    return { lock: { recipient: key.recipient }, kind: "recovery", recoveryKey: key.identity };
  }
  if (recipient !== undefined) return { lock: { recipient: recipient.trim() }, kind: "recipient" };
  if (recipientFile !== undefined) {
    return { lock: { recipient: recipientIn(await readFile(recipientFile, "utf8")) }, kind: "recipient" };
  }
  const passphrase = newPassphraseFile
    ? await readFirstLine(newPassphraseFile)
    : await askTwice(context, "New passphrase");
  const { keyslotLogN: logN } = context.host;
  return { lock: { passphrase, ...(logN === undefined ? {} : { logN }) }, kind: "passphrase" };
}

/** The recipients file of age: lines that start with # are comments. One recipient is one keyslot. */
function recipientIn(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const [first, ...rest] = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (first !== undefined && rest.length === 0) return first;
  throw new AppError("key_invalid", { context: { detail: "the file must hold exactly one recipient." } });
}

async function runRemove(context: Context, _options: object, prefix: string): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const ids = (await opened.vault.keyslots()).map(({ id }) => id);
    const id: KeyslotId = findById(ids, prefix, "keyslot");
    await askVault(opened, "keyslot-remove", { id });
    output.say(`Keyslot ${id.slice(0, 12)} is removed.`);
    output.json({ type: "result", command: "key remove", id });
  });
}
