// The one table of settings. The zod schema, the names of flags and environment variables, the types and docs/config.md all
// come from it; src/node/config.ts fills it in. Ports and limits that are no settings yet have their one home here as well.
// A default must never be written down a second time elsewhere, and a secret must never get a file or flag source.

import { z } from "zod";

export type ConfigSource = "file" | "env" | "flag";

/** A provider of sign-in by OpenID Connect. */
export type OidcSetting = {
  readonly id: string;
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecretFile?: string | undefined;
  readonly newcomers?: "viewer" | "operator" | undefined;
};

export type Setting<T> = {
  readonly schema: z.ZodType<T>;
  readonly default: T;
  /** The accepted values, in words for the docs. */
  readonly accepts: string;
  readonly description: string;
  readonly secret: boolean;
  readonly sources: readonly ConfigSource[];
  /** Reads the text of a flag or variable; the schema judges what comes out. */
  readonly parse: (text: string) => unknown;
};

const EVERYWHERE: readonly ConfigSource[] = ["file", "env", "flag"];

export const CONFIG = {
  home: text("Folder of what belongs to this machine: device secrets, state files, remembered log heads.", {
    accepts: "folder",
    sources: ["env", "flag"],
  }),
  vault: text("The vault to work on: a folder, or https://host:port/NAME on a server.", { accepts: "folder or URL" }),
  passphraseFile: text("File whose first line is the vault's passphrase.", { accepts: "file" }),
  passphrase: text("The vault's passphrase itself. Flags and files would leave it where others can read it.", {
    accepts: "text",
    sources: ["env"],
    secret: true,
  }),
  writerFile: text("Writer file that enrols this machine for one run.", { accepts: "file" }),
  identityFile: text("File with an age identity that opens a keyslot, such as the recovery key.", { accepts: "file" }),
  accountPassword: text("The password of one's account on a server, where nobody can be asked.", {
    accepts: "text",
    sources: ["env"],
    secret: true,
  }),
  apiKey: text("API key of an account of the server, in place of `cyberbackup login`.", {
    accepts: "text",
    sources: ["env"],
    secret: true,
  }),
  serverPin: text("Fingerprint that the server's certificate must have, for servers that no enrolment code names.", {
    accepts: "SHA-256 in hex",
  }),
  compression: choice(
    ["fastest", "default", "better", "max", "off"],
    "default",
    "How hard to compress; what does not shrink is stored as it is.",
  ),
  workers: whole(0, 256, 0, "Worker threads that read, compress and encrypt; 0 takes one for each processor core."),
  packSizeMiB: whole(1, 256, 32, "Size at which a pack is closed and sent."),
  uploadLimitKiBps: whole(0, 2 ** 30, 0, "Upload limit in KiB a second; 0 is none."),
  cacheMiB: whole(0, 2 ** 20, 48, "Memory for blocks that are likely to be read again; 0 is none."),
  data: text("The server's data folder; `server` in the home folder by default.", { accepts: "folder" }),
  listen: text("Where the server speaks HTTPS; everywhere, at the port below, by default.", {
    accepts: "address:port",
  }),
  listenHttp: text(
    "Where the server speaks plain HTTP: on loopback, or to a trusted proxy. By default at the port below, for this machine's own browser, unless `listen` is given.",
    {
      accepts: "address:port",
    },
  ),
  tlsCert: text("The server's certificate with its chain, in place of one that it makes itself.", {
    accepts: "PEM file",
  }),
  tlsKey: text("The key of that certificate.", { accepts: "PEM file" }),
  trustProxy: choice(
    ["off", "on"],
    "off",
    "Leaves TLS to a proxy: plain HTTP is served, and the proxy is believed who calls.",
  ),
  publicUrl: text("The address under which devices and people reach the server through a proxy.", { accepts: "URL" }),
  proxyCertificate: text("The certificate that the proxy shows, so that logins are bound to it.", {
    accepts: "PEM file",
  }),
  web: choice(["on", "off"], "on", "Whether the server serves its page."),
  gateway: text("Where the server takes uploads of version 3 clients too; `on` is loopback at the port below.", {
    accepts: "address:port or on",
  }),
  gatewayVault: text("Vault that these uploads go to; needed where the server has several.", {
    accepts: "name",
  }),
  reserveMiB: whole(
    0,
    2 ** 30,
    1024,
    "Space in MiB that must stay free on the server's disk for new backups to begin.",
  ),
  scrubDays: whole(
    1,
    3650,
    30,
    "Days in which a server reads everything that it stores once, to find what has rotted.",
  ),
  scrubMiBps: whole(0, 2 ** 20, 64, "Speed of that reading in MiB a second at most; 0 is no limit."),
  color: choice(["auto", "always", "never"], "auto", "Coloured output; auto means when a terminal reads it."),
  progress: choice(["auto", "always", "never"], "auto", "Live progress display; auto means when a terminal reads it."),
  logLevel: choice(
    ["debug", "info", "warn", "error", "silent"],
    "warn",
    "The least serious messages that are logged to the console.",
  ),
  logFileLevel: choice(
    ["debug", "info", "warn", "error", "silent"],
    "info",
    "The least serious messages that server, gateway and agent log to files; silent writes none.",
  ),
  logFolder: text("Folder of those files; `logs` in the data or home folder by default.", { accepts: "folder" }),
  logFileMiB: whole(1, 4096, 10, "Size in MiB at which a new log file is begun."),
  logFiles: whole(1, 1000, 7, "Log files that are kept."),
  smtp: text("Mail server for notifications: smtps://user@host, or smtp://user@host:port with STARTTLS.", {
    accepts: "URL",
  }),
  smtpPassword: text("Password of that user.", { accepts: "text", sources: ["env"], secret: true }),
  smtpPasswordFile: text("File whose first line is that password.", { accepts: "file" }),
  smtpCa: text("Authority that signed the mail server's certificate, where the system does not know it.", {
    accepts: "PEM file",
  }),
  mailFrom: text("Sender of notifications, as CyberBackup <backup@example.org>.", { accepts: "e-mail address" }),
  oidc: {
    schema: z
      .array(
        z.strictObject({
          id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must have lower-case letters, digits and dashes"),
          name: z.string().min(1).max(64),
          issuer: z.string().min(1),
          clientId: z.string().min(1),
          clientSecretFile: z.string().min(1).optional(),
          newcomers: z.enum(["viewer", "operator"]).optional(),
        }),
      )
      .max(8)
      .optional(),
    default: undefined,
    accepts: "list",
    description:
      "Providers by which people may sign in (OpenID Connect): `id`, `name`, `issuer`, `clientId`, `clientSecretFile` and `newcomers`, as in [server.md](server.md#sign-in-by-a-provider). As a variable it is JSON.",
    secret: false,
    sources: ["file", "env"],
    parse: parseJson,
  } as Setting<readonly OidcSetting[] | undefined>,
  oidcSecret: text("The client's secret of the one provider that has no `clientSecretFile`.", {
    accepts: "text",
    sources: ["env"],
    secret: true,
  }),
  crashReportsDsn: text("Address (DSN) of a Sentry-compatible receiver of crash reports; without it none are sent.", {
    accepts: "URL",
  }),
} as const satisfies Record<string, Setting<unknown>>;

export type ConfigKey = keyof typeof CONFIG;

/** Every setting with its value. `home` always has one: the loader knows the platform's default. */
export type Config = { readonly [K in ConfigKey]: z.output<(typeof CONFIG)[K]["schema"]> } & { readonly home: string };

export const CONFIG_KEYS = Object.keys(CONFIG) as ConfigKey[];

export const configSchema = z.strictObject({
  ...(Object.fromEntries(CONFIG_KEYS.map((key) => [key, CONFIG[key].schema])) as {
    [K in ConfigKey]: (typeof CONFIG)[K]["schema"];
  }),
  home: z.string().min(1),
});

export const ENV_PREFIX = "CYBERBACKUP_";
/** Names the configuration file; not a setting, because it says where settings are. */
export const CONFIG_FILE_VARIABLE = "CYBERBACKUP_CONFIG";

type Constant = { readonly value: number; readonly description: string };

export const PORTS = {
  server: { value: 9090, description: "The server in plain HTTP, for a browser on its own machine or a proxy." },
  deviceApi: { value: 9443, description: "The server over TLS, for devices and people." },
  page: { value: 9091, description: "The page alone, for a server elsewhere (`web`)." },
  submission: { value: 587, description: "A mail server that is spoken to with STARTTLS." },
  submissions: { value: 465, description: "A mail server that is spoken to over TLS." },
  gateway: { value: 1256, description: "The gateway for clients of CyberBackup 3, as their `port.info` has it." },
} as const satisfies Record<string, Constant>;

export const LIMITS = {
  trashDays: { value: 7, description: "Days for which a removed snapshot can be brought back." },
  passedConnections: {
    value: 64,
    description: "Connections that `web` keeps to the server for which it serves the page.",
  },
  serverConnections: { value: 2048, description: "Connections that a server keeps open." },
  serverConnectionsPerAddress: { value: 1024, description: "Connections that a server keeps open for one address." },
  serverHeaderBytes: { value: 16_384, description: "Bytes of a request's headers." },
  serverHeadersMs: { value: 30_000, description: "Milliseconds in which the headers of a request must have come." },
  serverStallMs: { value: 30_000, description: "Milliseconds for which a body or an answer may make no progress." },
  serverBytesPerSecond: { value: 1024, description: "Slowest upload that a server puts up with, over a minute." },
  serverIdleMs: { value: 75_000, description: "Milliseconds for which a connection without requests is kept." },
  serverStopMs: { value: 8000, description: "Milliseconds that a stopping server gives to running requests." },
  serverStartMs: { value: 120_000, description: "Milliseconds that `up` gives a server to be ready." },
  serverBodyBytes: {
    value: 134_217_728,
    description: "Bytes of request bodies that a server holds in memory at a time.",
  },
  firstContactMs: { value: 15_000, description: "Milliseconds for which a server that never answered is tried." },
  lostContactMs: { value: 600_000, description: "Milliseconds for which a server that has answered is tried again." },
  connectMs: { value: 10_000, description: "Milliseconds in which a connection to a server must stand." },
  stallMs: { value: 60_000, description: "Milliseconds for which a request may make no progress." },
  passwordLength: { value: 10, description: "Characters that a person's password must have at least." },
  signInDays: { value: 7, description: "Days after which a sign-in that is not used ends." },
  secondFactorMinutes: { value: 5, description: "Minutes for which a second factor that was given counts as fresh." },
  setupHours: { value: 72, description: "Hours for which a link to choose a password is good." },
  keyDays: { value: 90, description: "Days after which an API key made by `cyberbackup login` ends." },
  auditRows: { value: 500_000, description: "Entries of the audit trail that are kept; the oldest go first." },
  runDays: { value: 730, description: "Days for which a server keeps the history of runs." },
  runsPerDevice: { value: 5000, description: "Runs of one device that a server keeps; the oldest go first." },
  runDetailsDays: { value: 90, description: "Days for which a server keeps the sealed details of runs." },
  silentDays: {
    value: 7,
    description: "Days without a word, or without a success where no plan says more, after which people are alerted.",
  },
  hourlySampleDays: { value: 14, description: "Days for which sizes are kept by the hour." },
  dailySampleDays: { value: 3650, description: "Days for which sizes are kept by the day." },
  serverFetchBytes: {
    value: 100_663_296,
    description: "Bytes of blocks that a server holds in memory on their way out.",
  },
  gatewayResends: {
    value: 10,
    description: "Times that a CyberBackup 3 client may resend one file before it is cut off.",
  },
  gatewayPayloadBytes: {
    value: 16_778_240,
    description: "Payload of one message of protocol 3 at most.",
  },
  gatewayWindowBytes: {
    value: 16 * 2 ** 20,
    description: "Ciphertext of packets that came before their turn, kept for one upload through the gateway.",
  },
  gatewayAllWindowsBytes: { value: 128 * 2 ** 20, description: "The same, for all uploads together." },
  gatewayUploads: { value: 32, description: "Uploads that the gateway takes in at a time; others wait." },
  gatewayClients: { value: 10_000, description: "Clients of CyberBackup 3 that the gateway registers." },
  gatewayConnections: { value: 1000, description: "Connections that the gateway holds at a time." },
  gatewayIdleSeconds: { value: 60, description: "Silence after which the gateway closes a connection." },
  gatewaySessionSeconds: {
    value: 600,
    description: "Age at which the gateway closes a connection; each 64 KiB of a file give it a second more.",
  },
  gatewayPatienceSeconds: {
    value: 10,
    description:
      "Silence after which a connection of the gateway may be closed to make room: one that has not logged in, when there are too many; one with an upload, when others wait.",
  },
  v3ConnectTries: { value: 3, description: "Times that `v3 send` tries to connect before it gives up." },
  v3FileTries: { value: 3, description: "Times that `v3 send` sends a file whose checksum or connection fails." },
  v3BackOffMs: {
    value: 1000,
    description:
      "Milliseconds that `v3 send` waits before its second try; before each further one it waits twice as long.",
  },
  v3SilenceSeconds: {
    value: 600,
    description: "Silence after which `v3 send` gives up a connection: an old server checks a large file for minutes.",
  },
} as const satisfies Record<string, Constant>;

/** `packSizeMiB` → `CYBERBACKUP_PACK_SIZE_MIB`. */
export function envName(key: ConfigKey): string {
  return ENV_PREFIX + words(key).join("_").toUpperCase();
}

/** `packSizeMiB` → `--pack-size-mib`. */
export function flagName(key: ConfigKey): string {
  return `--${words(key).join("-")}`;
}

export function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(CONFIG, key);
}

/** The candidate that `word` most likely was meant to be: a few slips away, or begun by it; undefined when none is near. */
export function suggest(word: string, candidates: readonly string[] = CONFIG_KEYS): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const [typed, whole] = [word.toLowerCase(), candidate.toLowerCase()];
    const isStart = typed.length >= 3 && whole.startsWith(typed);
    const distance = isStart ? Math.min(1, whole.length - typed.length) : editDistance(typed, whole);
    if (distance < Math.min(bestDistance, candidate.length)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours cost one each. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 64) return 64;
  let twoBack: number[] = [];
  let oneBack = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(oneBack[j]! + 1, row[j - 1]! + 1, oneBack[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, twoBack[j - 2]! + 1);
    }
    twoBack = oneBack;
    oneBack = row;
  }
  return oneBack[b.length]!;
}

function words(key: string): string[] {
  return key
    .replace(/(MiB|KiBps|MiBps)$/, (unit) => `-${unit.toLowerCase()}`)
    .replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)
    .split("-");
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    // The schema says what it should be.
    return value;
  }
}

function text(
  description: string,
  more: { accepts: string; sources?: readonly ConfigSource[]; secret?: boolean },
): Setting<string | undefined> {
  return {
    schema: z.string().min(1).optional(),
    default: undefined,
    accepts: more.accepts,
    description,
    secret: more.secret ?? false,
    sources: more.sources ?? EVERYWHERE,
    parse: (value) => value,
  };
}

function choice<const T extends string>(values: readonly T[], byDefault: NoInfer<T>, description: string): Setting<T> {
  return {
    schema: z.enum(values) as unknown as z.ZodType<T>,
    default: byDefault,
    accepts: values.join(", "),
    description,
    secret: false,
    sources: EVERYWHERE,
    parse: (value) => value,
  };
}

function whole(min: number, max: number, byDefault: number, description: string): Setting<number> {
  return {
    schema: z.number().int().min(min).max(max),
    default: byDefault,
    accepts: `whole number, ${min} to ${max}`,
    description,
    secret: false,
    sources: EVERYWHERE,
    parse: (value) => (/^\d{1,15}$/.test(value) ? Number(value) : value),
  };
}
