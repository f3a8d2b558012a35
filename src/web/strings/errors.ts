// What an error of the table (core/errors.ts) says to somebody in front of the page, where the table's own words are for a terminal: what happened, what to do
// next. A code that is not here is told in the table's words.

import { ERRORS, type ErrorCode } from "../../core/errors.ts";

type Words = { readonly title?: string; readonly hint: string };

const LATER = "What is stored is not affected. Start it again: what was sent already is not sent twice.";
const DAMAGE = "Other files are not affected. Under Vaults, Care, “Read everything” finds all damage there is.";

export const ERROR_WORDS: Partial<Record<ErrorCode, Words>> = {
  server_unreachable: {
    title: "The server does not answer.",
    hint: "Check whether this computer is online and the server is running, then try again.",
  },
  server_stopping: { hint: "It is mostly back within a minute. Try again then." },
  too_many_requests: { hint: "Wait a moment, then try again." },
  interrupted: { title: "It was interrupted.", hint: LATER },
  session_unknown: {
    title: "The server has given this backup up, because it heard nothing of it for long.",
    hint: LATER,
  },
  base_gone: { title: "Something that this backup relied on was removed meanwhile.", hint: LATER },
  not_enrolled: {
    title: "This browser is no device of the vault.",
    hint: "Choose “Forget this browser”, then make it a device again.",
  },
  device_revoked: {
    title: "This browser may not back up here any more: somebody revoked it.",
    hint: "What it backed up stays. If it should go on, choose “Forget this browser”, then make it a device again.",
  },
  quota_full: {
    hint: "What was backed up before is safe, and what was sent now is not sent twice. Raise the limit under Vaults, Overview, or remove snapshots that nobody needs; then start it again. Without the right to do so, ask an owner.",
  },
  server_full: {
    hint: "What is stored is safe. Somebody has to free space on the server's disk; then start it again.",
  },
  disk_full: { hint: "Free some space there, then try again. What was written already is not lost." },
  source_missing: {
    title: "What was chosen cannot be read any more.",
    hint: "It may have been moved or renamed, or the browser has lost hold of it. Choose it again.",
  },
  vault_not_found: { title: "There is no such vault.", hint: "It may have been removed, or you may not see it." },
  not_found: { hint: "It may have been removed meanwhile. Load the page again." },
  passphrase_wrong: {
    title: "That does not open the vault.",
    hint: "Check for typing slips (case matters), or use the recovery key.",
  },
  last_keyslot: { hint: "Add another one first; without any, nothing can ever be read." },
  login_failed: { hint: "Check the e-mail address and the password, or try the passkey again." },
  token_expired: { title: "The sign-in has ended.", hint: "Sign in again." },
  forbidden: { hint: "Ask an owner of the server or of the vault for that role." },
  record_corrupt: { hint: DAMAGE },
  pack_corrupt: { hint: DAMAGE },
  block_corrupt: { hint: DAMAGE },
  tree_corrupt: { hint: DAMAGE },
  chunk_corrupt: { hint: "Another version of the file may be whole: look under “All versions”." },
  chunk_missing: { hint: "Another version of the file may be whole: look under “All versions”." },
  rollback: {
    hint: "If you know that an old copy of the server was put back, accept it when you unlock the vault. Otherwise ask whoever runs the server first.",
  },
  internal: { hint: "Try again. If it happens again, please report it." },
};

/** In a sentence, where only the code is known. */
export function wordsOfCode(code: string): string {
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined;
  if (known === undefined) return code;
  const { message } = ERRORS[known];
  return ERROR_WORDS[known]?.title ?? (message.includes("{") ? (BRIEF[known] ?? known) : message);
}

/** Of those whose own words hold values that are not known any more. */
const BRIEF: Partial<Record<ErrorCode, string>> = {
  quota_full: "A quota is used up.",
  server_full: "The server's disk is nearly full.",
  disk_full: "There is no space left.",
  vault_busy: "The vault is in use.",
  forbidden: "It is not allowed.",
  internal: "Something went wrong inside CyberBackup.",
  io: "A disk failed.",
};

/** For `vault_busy`, which a tab says of another one. */
export const OTHER_TAB = {
  title: "Another tab of this browser is backing up to this vault.",
  hint: "Wait until it is done, or close it, then try again.",
} as const;
