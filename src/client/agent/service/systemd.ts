// The systemd service of the agent, as text (systemd.service(5), systemd.exec(5)). It reads everything that its user may read and writes only its home
// and its logs; a local vault's folder is named as well.

export type ServiceInput = {
  /** Program and arguments that run the agent. */
  readonly argv: readonly string[];
  /** The device's home folder. */
  readonly home: string;
  /** Folders of local vaults, which must be writable. */
  readonly vaults: readonly string[];
  /** For all users of the machine, run by root; else for this user alone. */
  readonly isSystem: boolean;
  /** Variables that the agent needs; never a secret. */
  readonly env: Readonly<Record<string, string>>;
};

export const SYSTEMD_NAME = "cyberbackup-agent.service";

export function systemdUnit({ argv, home, vaults, isSystem, env }: ServiceInput): string {
  const variables = Object.entries({ ...env, CYBERBACKUP_HOME: home });
  return `${[
    "# Made by `cyberbackup agent install`; change it with `systemctl edit cyberbackup-agent`.",
    "[Unit]",
    "Description=CyberBackup agent: backs up by its plans",
    "Documentation=man:cyberbackup-agent(1)",
    ...(isSystem ? ["Wants=network-online.target", "After=network-online.target"] : []),
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${argv.map(quoted).join(" ")}`,
    ...variables.map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    "# What hooks need beyond this: `systemctl edit`, and for secrets LoadCredential=name:/path, read from $CREDENTIALS_DIRECTORY/name.",
    "#LoadCredential=db-password:/etc/cyberbackup/db-password",
    "Restart=on-failure",
    "RestartSec=30",
    "# Exit codes that a restart does not mend: wrong options, another agent, not enrolled.",
    "RestartPreventExitStatus=2 11 16",
    "# A run that is under way is ended where nothing is lost.",
    "TimeoutStopSec=60",
    "KillMode=mixed",
    "UMask=0077",
    "Nice=10",
    "IOSchedulingClass=idle",
    "",
    "# Reads what it backs up, writes its own.",
    "ProtectSystem=strict",
    ...(isSystem ? ["ProtectHome=read-only"] : []),
    `ReadWritePaths=${[home, ...vaults].map((path) => quoted(`-${path}`)).join(" ")}`,
    "PrivateTmp=yes",
    ...(isSystem
      ? [
          "# Reading other users' files and their metadata is what it is for; nothing else of root is.",
          "CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_SETUID CAP_SETGID",
          "ProtectClock=yes",
          "ProtectHostname=yes",
          "ProtectKernelLogs=yes",
          "ProtectKernelModules=yes",
          "ProtectKernelTunables=yes",
          "ProtectControlGroups=yes",
        ]
      : []),
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
    "",
    "[Install]",
    `WantedBy=${isSystem ? "multi-user.target" : "default.target"}`,
  ].join("\n")}\n`;
}

/** systemd.syntax(7), Quoting; `%` and `$` are its own. */
function quoted(text: string): string {
  const escaped = text
    .replace(/\\/g, "\\\\")
    .replace(/"/g, '\\"')
    .replace(/%/g, "%%")
    .replace(/\$/g, "$$$$")
    .replace(/\n/g, "\\n");
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
