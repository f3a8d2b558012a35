// The one error class and the one table of error codes.
// A caller throws `new AppError("pack_corrupt", { context, cause })`; what a person reads, the exit code, the HTTP status
// and whether trying again can help all come from the table below. docs/errors.md is generated from it and tested against it.

export type ErrorSpec = {
  /** What went wrong, in words for a person. `{name}` is replaced by the value of that name in `context`. */
  readonly message: string;
  /** What to do next. */
  readonly hint: string;
  /** Process exit code. */
  readonly exit: number;
  /** HTTP status when the error crosses an API. */
  readonly http: number;
  /** True when the same call may succeed later without anything being changed. */
  readonly retry: boolean;
};

/** Exit codes by meaning; documented for scripts in docs/errors.md. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  noVault: 10,
  vaultBusy: 11,
  wrongPassphrase: 12,
  damaged: 13,
  rollback: 14,
  diskFull: 15,
  notEnrolled: 16,
  interrupted: 130,
} as const;

const spec = (exit: number, http: number, message: string, hint: string, retry = false): ErrorSpec => ({
  message,
  hint,
  exit,
  http,
  retry,
});

export const ERRORS = {
  // Using the program
  usage: spec(EXIT.usage, 400, "{detail}", "Run the command with --help to see its options and examples."),
  config_invalid: spec(
    EXIT.usage,
    400,
    "Configuration is not valid: {detail}",
    "Correct the value; `cyberbackup config` shows where each one comes from.",
  ),
  filename_invalid: spec(
    EXIT.usage,
    400,
    "The name {name} cannot be used: {detail}",
    "Choose a name without separators, control characters or reserved words.",
  ),
  not_found: spec(
    EXIT.failed,
    404,
    "{what} was not found.",
    "Check the spelling; `cyberbackup snapshots` and `cyberbackup ls` show what there is.",
  ),
  logs_missing: spec(
    EXIT.failed,
    404,
    "Nothing has written a log to {folder} yet.",
    "Start the server with `cyberbackup up`, or name its folder with --data; an agent's logs are shown by `cyberbackup logs agent`.",
  ),
  ambiguous_id: spec(EXIT.usage, 400, "The id {id} fits more than one {what}.", "Give more of its characters."),
  interrupted: spec(
    EXIT.interrupted,
    499,
    "Interrupted.",
    "Run the same command again: what was stored is kept and is not sent twice.",
    true,
  ),
  internal: spec(
    EXIT.failed,
    500,
    "Something went wrong inside CyberBackup: {detail}",
    "Please report it with the output of `cyberbackup doctor`.",
  ),

  // Reaching a vault
  vault_not_found: spec(
    EXIT.noVault,
    404,
    "There is no vault at {path}.",
    "Check --vault or CYBERBACKUP_VAULT; `cyberbackup init --vault {path}` makes a new one.",
  ),
  vault_exists: spec(
    EXIT.failed,
    409,
    "{path} already holds a vault or other files.",
    "Choose an empty folder, or use the vault that is there.",
  ),
  vault_version: spec(
    EXIT.failed,
    409,
    "The vault has format version {version}, which this program does not know.",
    "Update CyberBackup and try again.",
  ),
  vault_busy: spec(
    EXIT.vaultBusy,
    423,
    "The vault is in use: {holder}.",
    "Wait until that is done, then try again.",
    true,
  ),
  vault_mismatch: spec(
    EXIT.damaged,
    409,
    "This belongs to another vault: {detail}.",
    "Check --vault; objects of two vaults must never be mixed.",
  ),
  not_enrolled: spec(
    EXIT.notEnrolled,
    403,
    "This machine is not enrolled in the vault.",
    "Enrol it with `cyberbackup device add` or `cyberbackup enroll CODE`, or give --writer-file.",
  ),
  device_revoked: spec(
    EXIT.notEnrolled,
    403,
    "The device {device} has been revoked.",
    "Enrol the machine again if it should back up here.",
  ),
  session_unknown: spec(
    EXIT.failed,
    410,
    "The backup session is unknown or has expired.",
    "Run the backup again: what was stored is kept.",
    true,
  ),
  snapshot_pinned: spec(
    EXIT.failed,
    409,
    "Snapshot {snapshot} is pinned until {until}.",
    "It cannot be removed by anyone before that date.",
  ),
  base_gone: spec(
    EXIT.failed,
    409,
    "Blocks that this run relied on are no longer stored.",
    "Run the backup again; it will send them anew.",
    true,
  ),

  // Keys
  passphrase_wrong: spec(
    EXIT.wrongPassphrase,
    401,
    "The passphrase or key opens none of the vault's keyslots.",
    "Try again, or use the recovery key with --identity-file.",
  ),
  passkey_refused: spec(
    EXIT.wrongPassphrase,
    401,
    "The passkey gave no key: {detail}",
    "Try again, or unlock with the passphrase or the recovery key.",
  ),
  passphrase_missing: spec(
    EXIT.wrongPassphrase,
    401,
    "A passphrase is needed and there is no terminal to ask on.",
    "Set CYBERBACKUP_PASSPHRASE or give --passphrase-file.",
  ),
  password_missing: spec(
    EXIT.usage,
    401,
    "The password of the account is needed and there is no terminal to ask on.",
    "Set CYBERBACKUP_ACCOUNT_PASSWORD or give --password-file.",
  ),
  key_invalid: spec(
    EXIT.wrongPassphrase,
    400,
    "The key is not valid: {detail}",
    "Give an age recipient (age1…) or identity (AGE-SECRET-KEY-…) as printed by its program.",
  ),
  writer_file_invalid: spec(
    EXIT.usage,
    400,
    "The writer file is not valid: {detail}",
    "Make a new one with `cyberbackup writer export`.",
  ),
  last_keyslot: spec(
    EXIT.failed,
    409,
    "This is the vault's last keyslot.",
    "Add another one first; without any, nothing can ever be read.",
  ),

  // What is stored
  record_corrupt: spec(
    EXIT.damaged,
    422,
    "{what} is damaged: {detail}",
    "Run `cyberbackup verify --read-data` for a full list; other data is not affected.",
  ),
  pack_corrupt: spec(
    EXIT.damaged,
    422,
    "Pack {pack} is damaged: {detail}",
    "Run `cyberbackup scrub`; the next backup that still has the data heals the vault.",
  ),
  block_corrupt: spec(
    EXIT.damaged,
    422,
    "Block {blockNo} is damaged: {detail}",
    "Run `cyberbackup scrub`; the next backup that still has the data heals the vault.",
  ),
  chunk_corrupt: spec(
    EXIT.damaged,
    422,
    "A piece of {path} is damaged: {detail}",
    "Restore the file from another snapshot; `cyberbackup versions` lists them.",
  ),
  chunk_missing: spec(
    EXIT.damaged,
    422,
    "A piece of {path} is not in the vault.",
    "Restore the file from another snapshot; the next backup that still has it heals the vault.",
  ),
  tree_corrupt: spec(
    EXIT.damaged,
    422,
    "A folder of the snapshot cannot be read: {detail}",
    "Run `cyberbackup verify --read-data`; other folders are not affected.",
  ),
  log_corrupt: spec(
    EXIT.damaged,
    422,
    "The vault log is damaged at entry {seq}: {detail}",
    "Restore the vault's log folder from a copy; do not prune until this is clear.",
  ),
  signature_bad: spec(
    EXIT.damaged,
    422,
    "A signature does not fit: {what}.",
    "The vault may have been tampered with. Do not prune; keep a copy of it.",
  ),
  index_corrupt: spec(
    EXIT.damaged,
    500,
    "The vault's index is damaged: {detail}",
    "Run `cyberbackup rebuild`; it is made anew from the packs and the log.",
  ),
  index_refused: spec(
    EXIT.failed,
    503,
    "The disk did not take what was to be written to the vault's index: {detail}",
    "Look at the server's disk (free space, mounts, the system's log). The server opens the index again by itself every few minutes, or at once when it is restarted; no acknowledged backup is lost.",
    true,
  ),
  rollback: spec(
    EXIT.rollback,
    409,
    "The vault was put back to an older state: {detail}",
    "Somebody restored an old copy of it, or it was tampered with. Once you know why, accept it with `cyberbackup doctor --accept-head`.",
  ),
  limit: spec(
    EXIT.failed,
    413,
    "{what} is over its limit of {limit}.",
    "This data was not made by CyberBackup, or it is damaged.",
  ),

  // A server and those who call it
  port_unusable: spec(
    EXIT.failed,
    500,
    "The server cannot listen at {place}: {detail}.",
    "Stop the program that uses it, or choose another address and port with --listen, such as --listen :0 for any that is free.",
  ),
  runtime_old: spec(EXIT.failed, 500, "The runtime is too old: {detail}.", "{advice}"),
  build_failed: spec(
    EXIT.failed,
    500,
    "The page could not be built: {detail}",
    "Run `npm ci && npm run build` to see all of it; `cyberbackup up --no-web` starts a server without it.",
  ),
  folder_unusable: spec(
    EXIT.failed,
    500,
    "The folder {path} cannot be made or written to: {detail}",
    "Make it writable for the user who runs this, or name another one with --data.",
  ),
  start_failed: spec(
    EXIT.failed,
    500,
    "The server did not start: {detail}",
    "Its own words are in {log}; `cyberbackup doctor` looks for causes.",
  ),
  stop_failed: spec(
    EXIT.vaultBusy,
    500,
    "The server has not stopped: {detail}",
    "Wait and look with `cyberbackup status`; it ends when what it is doing has ended.",
    true,
  ),
  request_invalid: spec(
    EXIT.failed,
    400,
    "The server does not understand the request: {detail}",
    "Update the older of the two programs; if they are of one version, please report it.",
  ),
  media_unknown: spec(
    EXIT.failed,
    406,
    "The server does not speak {asked}; it speaks {spoken}.",
    "Update the older of the two programs.",
  ),
  login_failed: spec(
    EXIT.notEnrolled,
    401,
    "The server does not accept the login.",
    "Check the e-mail address and the password, the passkey or the API key; of a device, that it is enrolled here and not revoked.",
  ),
  token_expired: spec(EXIT.failed, 401, "The login has expired.", "Log in again.", true),
  forbidden: spec(
    EXIT.failed,
    403,
    "This is not allowed for {caller}: it needs {needed}.",
    "Ask an owner of the server, or use an API key with that role.",
  ),
  second_factor_needed: spec(
    EXIT.failed,
    403,
    "This needs a fresh second factor.",
    "Give the code of your authenticator, then try again within five minutes.",
  ),
  run_silent: spec(
    EXIT.failed,
    504,
    "Nothing was heard of this run for ten minutes.",
    "See whether the device is on and reaches the server; its next run goes on where this one stopped.",
    true,
  ),
  plan_conflict: spec(
    EXIT.failed,
    409,
    "The plan was changed by somebody else meanwhile: it has version {version} now.",
    "Look at the plan as it is now, then make the change again.",
  ),
  too_many_requests: spec(EXIT.failed, 429, "Too many attempts.", "Wait {retryAfter} seconds, then try again.", true),
  setup_invalid: spec(
    EXIT.notEnrolled,
    403,
    "The set-up link is not valid: it is wrong, too old, or was used.",
    "Ask an owner for a new one; a server without any owner prints one when it starts.",
  ),
  sign_in_unknown: spec(
    EXIT.failed,
    403,
    "There is no account here for whom the provider says you are.",
    "Ask an owner of this server to add you with the e-mail address that the provider has verified; whoever signed in before under another name there needs a new link from an owner.",
  ),
  sign_in_provider: spec(
    EXIT.failed,
    502,
    "{name} cannot be used to sign in now: {detail}.",
    "Try again later, or sign in with your password. An owner finds what a provider needs in docs/server.md.",
    true,
  ),
  factor_wrong: spec(
    EXIT.failed,
    403,
    "The code is not right.",
    "Give the code that the authenticator shows now; each is good once. Check the clock of the phone.",
  ),
  passkey_place: spec(
    EXIT.failed,
    400,
    "Browsers have no passkeys for {host}: only for a server that is opened by a name.",
    "Open the page by the server's name in place of its address, or give it one with the setting publicUrl.",
  ),
  passkey_unanswered: spec(
    EXIT.failed,
    401,
    "The passkey was not used: {detail}",
    "Try again, or sign in with the password.",
    true,
  ),
  password_unfit: spec(
    EXIT.usage,
    400,
    "The password cannot be used: {detail}.",
    "Take another one; several words in a row are good.",
  ),
  last_owner: spec(
    EXIT.failed,
    409,
    "This is the server's last owner.",
    "Make somebody else an owner first; without any, nobody could administer the server.",
  ),
  person_exists: spec(
    EXIT.failed,
    409,
    "There is an account for this e-mail address already.",
    "Change that one, or take another address.",
  ),
  invite_invalid: spec(
    EXIT.notEnrolled,
    403,
    "The enrolment code is not valid: it is wrong, too old, or was used.",
    "Ask for a new one: `cyberbackup device invite`.",
  ),
  invite_code_invalid: spec(
    EXIT.usage,
    400,
    "This is not an enrolment code: {detail}.",
    "Copy the whole line that `cyberbackup device invite` has printed.",
  ),
  pack_conflict: spec(
    EXIT.failed,
    409,
    "Another pack was stored under number {n} of this session.",
    "Run the backup again: what was stored is kept.",
  ),
  quota_full: spec(
    EXIT.diskFull,
    507,
    "The quota of {what} is used up: {detail}.",
    "Remove snapshots and prune, or have the quota raised.",
  ),
  server_full: spec(
    EXIT.diskFull,
    507,
    "The server's disk is nearly full: less than its reserve of {reserve} is free.",
    "Free space on the server, or lower its reserve; nothing that is stored is affected.",
    true,
  ),
  server_stopping: spec(EXIT.vaultBusy, 503, "The server is stopping.", "Try again in a moment.", true),
  server_unreachable: spec(
    EXIT.noVault,
    503,
    "The server at {address} cannot be reached: {detail}",
    "Check the address, the network, and that the server runs; then run the command again.",
    true,
  ),
  answer_invalid: spec(
    EXIT.failed,
    502,
    "The server at {address} answered what it should not: {detail}",
    "Update the older of the two programs. If that does not help, do not trust the server: somebody may have changed it.",
  ),
  not_logged_in: spec(
    EXIT.notEnrolled,
    401,
    "This needs an account of the server at {address}.",
    "Log in with `cyberbackup login {address}` or set CYBERBACKUP_API_KEY; to back up, enrol with `cyberbackup enroll CODE`.",
  ),
  server_not_running: spec(
    EXIT.noVault,
    503,
    "No server runs in {data}.",
    "Start it (`cyberbackup up`, `cyberbackup serve` or its service), or name its data folder with --data.",
  ),
  server_unknown: spec(
    EXIT.rollback,
    502,
    "This machine does not know the server at {address} yet, and no public authority vouches for it; its fingerprint is {fingerprint}.",
    "Compare that with what the server shows when it starts; if it is the same, run the command again with --server-pin and the fingerprint.",
  ),
  server_untrusted: spec(
    EXIT.rollback,
    502,
    "The server at {address} is not the one that this machine was enrolled at: {detail}",
    "Somebody may be between you and it. Compare its fingerprint; enrol again if it was set up anew.",
  ),

  notification_failed: spec(
    EXIT.failed,
    502,
    "The notification could not be sent: {detail}.",
    "Check the address and the token of the channel, and that the server can reach it.",
    true,
  ),
  mail_not_set_up: spec(
    EXIT.failed,
    409,
    "This server sends no e-mail: no mail server is set up.",
    "Whoever runs the server sets `smtp` and `mailFrom`: docs/notifications.md says how.",
  ),

  // Protocol 3
  v3_protocol: spec(
    EXIT.failed,
    400,
    "The other side does not keep to protocol 3: {detail}.",
    "Check that it is a CyberBackup 3 program and that the address is right.",
  ),
  gateway_busy: spec(
    EXIT.vaultBusy,
    423,
    "Another gateway uses {path}.",
    "Stop it first, or give this one a folder of its own.",
    true,
  ),
  v3_key_invalid: spec(
    EXIT.failed,
    400,
    "The key of the CyberBackup 3 client is not valid: {detail}.",
    "Bring back its priv.key or me.info from a copy, or remove both to register under another name.",
  ),
  v3_file_invalid: spec(
    EXIT.usage,
    400,
    "{path} is not what CyberBackup 3 writes: {detail}",
    "Look up in docs/from-cyberbackup-3.md what each of the old files holds.",
  ),
  v3_unreachable: spec(
    EXIT.failed,
    502,
    "The server {address} cannot be reached: {detail}",
    "Check the address and that the server runs; then try again.",
    true,
  ),
  v3_connection: spec(
    EXIT.failed,
    502,
    "The connection to the server {address} broke: {detail}",
    "Run the command again. Files that were confirmed are at the server.",
    true,
  ),
  v3_refused: spec(
    EXIT.failed,
    502,
    "The server refused {what}.",
    "The server's own log may say why; old servers refuse names with unusual characters and files over 100 MiB.",
  ),
  v3_name_taken: spec(
    EXIT.failed,
    409,
    "The name {name} is taken at the server.",
    "Give --me the me.info that was written when the name was registered, or choose another name.",
  ),
  v3_name_refused: spec(
    EXIT.failed,
    403,
    "The server refused the name {name}.",
    "Names have 1 to 100 bytes. A gateway may also allow only listed names, or have retired this one: ask who runs it.",
  ),
  v3_checksum: spec(
    EXIT.failed,
    502,
    "The checksum of {path} is wrong: {detail}",
    "Try again; if it stays wrong, look for bad memory or a bad disk at both ends.",
    true,
  ),

  // Plans and the agent
  plan_invalid: spec(
    EXIT.usage,
    400,
    "The plan is not valid: {detail}",
    "Correct it with `cyberbackup plan edit`, or in its file; docs/agent.md lists every field.",
  ),
  plan_unknown: spec(
    EXIT.usage,
    404,
    "There is no plan {name}.",
    "See `cyberbackup plan list` for what there is; `cyberbackup plan add` makes a new one.",
  ),
  plan_exists: spec(
    EXIT.usage,
    409,
    "There is a plan {name} already.",
    "Change it with `cyberbackup plan edit {name}`, or choose another name.",
  ),
  plan_programs_refused: spec(
    EXIT.failed,
    403,
    "The server's version of the plan {name} brings a program to run, which this machine does not take from a server.",
    "Make that change on the machine itself; or, if all devices of the vault trust each other, run `cyberbackup plan programs --from-server allow` there.",
  ),
  hook_failed: spec(
    EXIT.failed,
    400,
    "The plan's {hook} program failed: {detail}.",
    "Run it by itself to see what is wrong; `cyberbackup agent status` shows the end of what it printed.",
  ),
  agent_running: spec(
    EXIT.vaultBusy,
    423,
    "Another agent of this home folder runs already.",
    "Stop it first, or look at it with `cyberbackup agent status`.",
    true,
  ),

  // The machine
  disk_full: spec(
    EXIT.diskFull,
    507,
    "There is no space left at {path}.",
    "Free some space and run the command again; what was stored is kept.",
    true,
  ),
  io: spec(EXIT.failed, 500, "{path} could not be used: {detail}", "Check the disk, the permissions and the path."),
  source_missing: spec(
    EXIT.failed,
    400,
    "None of the given paths could be read: {path}",
    "Check the spelling and the permissions.",
  ),
  command_failed: spec(
    EXIT.failed,
    400,
    "The command {command} failed: {detail}.",
    "No snapshot was made. Run the command by itself to see what is wrong.",
  ),
  name_changed: spec(
    EXIT.partial,
    409,
    "{path} has another name than in the snapshot: {detail}.",
    "Rename it where it is to go in the end; restored again to the same folder, it gets the same name.",
  ),
  restore_conflict: spec(
    EXIT.failed,
    409,
    "{path} cannot be restored: {detail}",
    "Choose another --target, or --overwrite always.",
  ),
  verify_failed: spec(
    EXIT.damaged,
    422,
    "Verification found {count} problem(s).",
    "They are listed above; `cyberbackup doctor` says how to mend them.",
  ),
  unsupported: spec(EXIT.failed, 501, "{what} is not possible on this system.", "{detail}"),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorContext = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** The only error class that rooms throw on purpose. Everything else that is caught is a bug or a platform error. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, options: { context?: ErrorContext; cause?: unknown } = {}) {
    const context = options.context ?? {};
    super(fill(ERRORS[code].message, context), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.context = context;
  }

  get hint(): string {
    return fill(ERRORS[this.code].hint, this.context);
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** True for an AppError, of the given code if one is given. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** Throws `interrupted` once the signal has fired; long loops call it between pieces of work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError("interrupted", { cause: signal.reason });
}

function fill(text: string, context: ErrorContext): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    context[name] === undefined ? whole : String(context[name]),
  );
}
