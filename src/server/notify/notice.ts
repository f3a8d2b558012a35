// What is told, and in which words. Names of vaults and devices are those that the server knows; nothing from inside a backup is
// ever in a notice.

import type { Severity } from "../../wire/v4/api/overview-routes.ts";

/** As it stands in the queue, so that it says later what was so when it happened. */
export type Notice = {
  readonly event: "raised" | "cleared" | "test";
  /** Of the alert. */
  readonly alert: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly vault: string | null;
  readonly vaultName: string | null;
  readonly device: string | null;
  readonly deviceName: string | null;
  readonly plan: string | null;
  readonly run: string | null;
  readonly job: string | null;
  readonly since: number;
  readonly clearedAt: number | null;
  readonly values: Readonly<Record<string, string | number>>;
  /** Address of the server's page, when it is known. */
  readonly server: string | null;
};

const TITLES: Readonly<Record<string, string>> = {
  "never-backed-up": "has never backed up",
  "device-silent": "has not been heard of",
  "plan-overdue": "has an overdue backup",
  "run-failed": "had a backup that failed",
  "fewer-files": "found far fewer files than before",
  "many-changed": "found unusually many changed files",
  damage: "holds damaged blocks",
  "disk-nearly-full": "The server's disk is nearly full",
  "job-failed": "had a job that failed",
  "vault-unusable": "cannot be opened",
  "index-refused": "takes no backups: the disk refused its index",
  "certificate-ending": "The server's certificate ends soon",
  test: "This is a test",
};

const ADVICE: Readonly<Record<string, string>> = {
  "never-backed-up": "Start a backup there, and see that its agent runs.",
  "device-silent": "See that the machine is on, has a network, and that its agent runs.",
  "plan-overdue": "See that the machine is on and its agent runs, or back up now.",
  "run-failed": "Look at the run: it says what went wrong.",
  "fewer-files": "See whether a disk is missing or files were deleted. Older snapshots still have them.",
  "many-changed": "If nobody changed them on purpose, this may be ransomware: disconnect the machine and look.",
  damage: "Back up again: what the sources still have is stored anew. Check the server's disk.",
  "disk-nearly-full": "Free space, lower what is kept, or give the server a larger disk.",
  "job-failed": "Look at the job: it says what went wrong.",
  "index-refused":
    "Check the server's disk. The index is opened again by itself every few minutes, or when the server is restarted.",
  "vault-unusable": "Look at the server's log, and run the doctor there.",
  "certificate-ending": "Renew the certificate, or restart the server that makes its own.",
  test: "Whoever reads this would be told of alerts in this way.",
};

/** One line, without a full stop: for subjects and titles. */
export function titleOf(notice: Notice): string {
  const said = TITLES[notice.kind] ?? notice.kind;
  const who = notice.deviceName ?? (notice.vaultName === null ? null : `The vault ${notice.vaultName}`);
  const isWhole = /^[A-Z]/.test(said);
  const title = isWhole || who === null ? said : `${plain(who)} ${said}`;
  return notice.event === "cleared" ? `Cleared: ${title}` : title;
}

/** A few lines, for a person. */
export function textOf(notice: Notice): string {
  const { event, since, clearedAt, vaultName, deviceName, values, server, kind } = notice;
  const facts = Object.entries(values).map(([name, value]) => `${plain(name)}: ${plain(String(value))}`);
  return [
    `${titleOf(notice)}.`,
    ...(event === "raised" || event === "test" ? [ADVICE[kind] ?? ""] : ["Nothing needs to be done."]),
    ...(deviceName === null ? [] : [`Device: ${plain(deviceName)}`]),
    ...(vaultName === null ? [] : [`Vault: ${plain(vaultName)}`]),
    `Since: ${isoMinute(since)}${clearedAt === null ? "" : `, until ${isoMinute(clearedAt)}`}`,
    ...facts,
    ...(server === null ? [] : [server]),
  ]
    .filter((line) => line !== "")
    .join("\n");
}

/** Of several at a time. */
export function digestTitle(notices: readonly Notice[]): string {
  if (notices.length === 1) return titleOf(notices[0]!);
  const dangers = notices.filter(({ event, severity }) => event === "raised" && severity === "danger").length;
  return dangers > 0 ? `${notices.length} notices, ${dangers} of them grave` : `${notices.length} notices`;
}

export function digestText(notices: readonly Notice[]): string {
  return notices.map(textOf).join("\n\n");
}

export function gravest(notices: readonly Notice[]): Severity {
  return notices.some(({ event, severity }) => event !== "cleared" && severity === "danger") ? "danger" : "warning";
}

/** Names are people's own words: they get no second line and no control characters. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}

function isoMinute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
