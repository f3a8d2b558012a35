// Words of the page "Back up from this browser", of the recovery kit, and of this browser as a device.

import type { LogLine, RunPhase } from "../backup/figures.ts";
import { wordsOfCode } from "./errors.ts";

export const BACKUP = {
  title: "Back up from this browser",
  lead: "Files are encrypted in this tab before they leave it. No program to install.",
  device: {
    title: "This browser",
    is: (name: string, vault: string) => `It writes to the vault “${vault}” as the device “${name}”.`,
    vault: "Vault",
    forget: "Forget this browser",
    forgetTitle: "Forget this browser?",
    forgetText:
      "Its keys, its history and what it remembers of earlier backups are removed from this browser. What was backed up stays. The device stays in the vault's list until somebody revokes it there.",
    forgot: "This browser is no device any more.",
    add: "Another vault",
    makeTitle: "Make this browser a device",
    makeText:
      "Devices can add backups and nothing else: they cannot read what is stored, not even their own. The keys stay in this browser.",
    name: "What to call this browser",
    nameHelp: "Shown in the list of devices.",
    byKey: "With the vault's key",
    isOpen: (vault: string) => `The vault “${vault}” is open in this tab.`,
    noRight:
      "Your role lets you look only. Ask an operator or an owner of the vault for an enrolment code, and enter it under “With an enrolment code”.",
    byCode: "With an enrolment code",
    code: "Enrolment code",
    codeHelp: "One line that begins with cb4-. Make one under Devices, or with “cyberbackup device invite”.",
    codeElsewhere: "This code is for another server.",
    enrol: "Enrol this browser",
    enrolled: "This browser is a device now.",
  },
  choose: {
    title: "What to back up",
    drop: "Drop files and folders here",
    dropNow: "Let go to add them",
    or: "or",
    folder: "Choose a folder",
    files: "Choose files",
    chosen: "Chosen",
    name: "Name",
    count: "Files",
    size: "Size",
    counting: "counting…",
    failed: "could not be read",
    remove: (name: string) => `Do not back up ${name}`,
    clear: "Remove all",
    once: "once",
    onceHelp: "This browser gives these files only once. Choose them again after the tab was closed.",
    total: (files: string, size: string) => `${files}, ${size}`,
    files_: ["{n} file", "{n} files"] as const,
    again: (names: string) => `Choose ${names} again`,
    againHelp: "What was backed up last time from here.",
  },
  options: {
    title: "How",
    plan: "Name of this backup",
    planHelp: "Backups of the same name are kept and compared together.",
    planDefault: "browser",
    compression: "Compression",
    levels: [
      { value: "1", label: "Fast" },
      { value: "3", label: "Balanced" },
      { value: "0", label: "None" },
    ],
    compressionHelp: "Photos, films and archives are recognised and stored as they are.",
    force: "Read every file",
    forceHelp: "Also those whose size and time have not changed since the last backup.",
    start: "Back up now",
    nothing: "Choose something first.",
  },
  resume: {
    title: "A backup was interrupted",
    text: (plan: string) => `“${plan}” was cut off. What has been sent stays sent: it goes on where it was.`,
    button: "Go on",
    chooseAgain: (names: string) =>
      `This browser does not let the page keep ${names}. Choose the same again, and start: nothing is sent twice.`,
    drop: "Leave it",
  },
  run: {
    title: "Backup",
    phases: {
      connecting: "Connecting",
      "signing-in": "Signing in",
      scanning: "Looking at files",
      encrypting: "Encrypting and sending",
      sending: "Sending the rest",
      committing: "Making it final",
      done: "Done",
    } satisfies Record<RunPhase, string>,
    steps: {
      connecting: "Connect",
      "signing-in": "Sign in",
      scanning: "Scan",
      encrypting: "Encrypt",
      sending: "Send",
      committing: "Commit",
      done: "Done",
    } satisfies Record<RunPhase, string>,
    paused: "Paused",
    pausedText: "What was read already is still being sent.",
    pause: "Pause",
    resume: "Go on",
    cancel: "Cancel",
    cancelTitle: "Cancel this backup?",
    cancelText:
      "No snapshot is made. What has been sent is kept for a while, so that the next backup need not send it again.",
    cancelKeep: "Keep going",
    cancelYes: "Cancel the backup",
    done: (when: string) => `Everything is safe. It took ${when}.`,
    doneWithProblems: (n: string) => `Stored, but ${n} could not be read.`,
    problems: ["{n} file", "{n} files"] as const,
    failed: "The backup failed",
    away: "The server does not answer",
    awayText:
      "What was sent is kept. The backup goes on by itself as soon as the server answers again; keep this tab open.",
    cancelled: "The backup was cancelled",
    another: "Another backup",
    speed: "Speed",
    speedChart: "Speed of the last 30 seconds",
    read: "read",
    sent: "sent",
    left: "Time left",
    leftUnknown: "not known yet",
    elapsed: "Time so far",
    files: "Files",
    filesOf: (done: string, all: string) => `${done} of ${all}`,
    data: "Data",
    dataOf: (done: string, all: string) => `${done} of ${all}`,
    saved: "Not sent, known already",
    savedHelp: "Files that did not change, and content that the vault had.",
    stored: "Newly stored",
    storedHelp: (from: string) => `from ${from}, compressed and encrypted`,
    couldNot: "Could not be read",
    now: "Now",
    progress: "Progress of the backup",
    snapshot: (id: string) => `Snapshot ${id}`,
    keepOpen: "Keep this tab open. Other pages of CyberBackup may be looked at meanwhile.",
  },
  line: {
    title: "Connection",
    good: "Good",
    slow: "Slow",
    bad: "Interrupted",
    none: "Not connected",
    detail: (ms: string, waits: string) => `Answers in ${ms}; had to wait ${waits}.`,
    times: ["{n} time", "{n} times"] as const,
  },
  log: {
    title: "Activity",
    level: "Level",
    levels: { all: "Everything", warning: "Warnings and errors", error: "Errors" },
    search: "Search in the activity",
    scroll: "Follow",
    save: "Save as a file",
    empty: "Nothing has happened yet.",
    nothing: "No line fits.",
    names: { info: "Info", warning: "Warning", error: "Error" },
  },
  history: {
    title: "Backups from this browser",
    empty: "None yet. The first one will stand here.",
    when: "When",
    plan: "Name",
    outcome: "Outcome",
    files: "Files",
    size: "Size",
    stored: "Stored",
    took: "Took",
    outcomes: { done: "Done", failed: "Failed", cancelled: "Cancelled" },
  },
} as const;

export const KIT = {
  title: "Recovery kit",
  text: "If the passphrase is lost, this key is the only way to your files. Print it or save it, and keep it where your papers are.",
  warning: "Whoever has this key can read everything in the vault. It is shown now and never again.",
  vault: "Vault",
  vaultId: "Id",
  address: "Address",
  made: "Made",
  key: "Recovery key",
  qr: "The recovery key as a QR code",
  print: "Print",
  save: "Save as a file",
  copy: "Copy",
  fileName: (vault: string) => `cyberbackup-recovery-${vault}.txt`,
  checkTitle: "Is it safe?",
  checkText: "Type two groups of the key, from what you printed or saved.",
  group: (n: number) => `Group ${n}`,
  wrong: "That is not what the key has there.",
  right: "Right: the kit is readable.",
  steps: [
    "Save or type the key as one line into a file.",
    "cyberbackup restore latest --vault ADDRESS --identity-file FILE --target DIR",
    "Or unlock the vault with it on this page.",
  ],
  stepsTitle: "To use it",
} as const;

const WAITS: Readonly<Record<string, string>> = {
  server_unreachable: "The server does not answer.",
  server_stopping: "The server is stopping.",
  too_many_requests: "The server is asked too much.",
  vault_busy: "The server is busy with the vault.",
};

/** One line of the activity. */
export function logWords(
  { what, values }: LogLine,
  format: { bytes(n: number): string; count(n: number): string },
): string {
  const number = (name: string): number => Number(values[name] ?? 0);
  const text = (name: string): string => String(values[name] ?? "");
  switch (what) {
    case "phase":
      return BACKUP.run.phases[text("phase") as RunPhase] ?? text("phase");
    case "paused":
      return "Paused by you.";
    case "resumed":
      return "Goes on.";
    case "wait":
      return `${WAITS[text("code")] ?? WAITS.server_unreachable} Trying again in ${format.count(number("seconds"))} s.`;
    case "problem":
      return `${text("path")} could not be read: ${problemWords(text("code"))}`;
    case "pack":
      return `${format.bytes(number("bytes"))} stored by the server in ${format.count(number("tookMs"))} ms.`;
    case "again":
      return "Goes on with a backup that was cut off. What was sent is not sent again.";
    case "done":
      return `Done: ${format.count(number("files"))} files, ${format.bytes(number("addedBytes"))} newly stored.`;
    case "failed":
      return `Failed: ${wordsOfCode(text("code"))}`;
    case "cancelled":
      return "Cancelled by you.";
  }
}

export function problemWords(code: string): string {
  switch (code) {
    case "ENOENT":
      return "it is gone.";
    case "EACCES":
      return "this browser may not read it.";
    case "EEXIST":
      return "another one has the same name.";
    case "EINVAL":
      return "its name cannot be kept.";
    case "ELOOP":
      return "the folders are nested too deeply.";
    default:
      return "it changed while it was read, or the disk failed.";
  }
}
