// `server setup`: the first account of a server, without a browser. On the server's own machine its local socket is proof enough;
// elsewhere the token of the link is. The password is asked for, or comes from a file or the environment; never from a flag.

import type { Command } from "commander";
import { httpsTransport, socketTransport } from "../../client/http/node-transport.ts";
import { tryFromHex } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { exchange } from "../../engine/remote/exchange.ts";
import type { HttpTransport } from "../../engine/remote/transport.ts";
import { localSocketPath } from "../../node/local-socket.ts";
import { requireRunning } from "../../server/instance.ts";
import { serverSettings } from "../../server/settings.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { canAsk } from "../ask.ts";
import { action, type Context } from "../context.ts";
import { usage } from "../parse-values.ts";
import { askTwice, readFirstLine } from "../passphrase.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownText } from "../shown-path.ts";

type Options = {
  readonly email: string;
  readonly name?: string;
  readonly passwordFile?: string;
  readonly link?: string;
  readonly fingerprint?: string;
};

export function defineSetup(command: Command, cli: Cli): void {
  command
    .requiredOption("--email <address>", "What the account is called.")
    .option("--name <name>", "Name that others see (default: the part of the address before the @).")
    .option("--password-file <file>", "File whose first line is the password (default: asks).")
    .option(
      "--link <link>",
      "Link that the server printed, or that an owner gave; without it, the local socket is used.",
    )
    .option("--fingerprint <hex>", "Fingerprint that the server printed; without it, public authorities are trusted.")
    .addOption(settingOption("data"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup server setup --data /srv/backup --email olga@example.org", "on the server's machine"],
    ["cyberbackup server setup --email o@example.org --link 'https://backup.example.org/#/setup/…'", "from afar"],
  ]);
}

async function run(context: Context, options: Options): Promise<undefined> {
  const { output, host } = context;
  if (options.link === undefined) await requireRunning(serverSettings(context.config).data);
  const { transport, token } = doorOf(context, options);
  try {
    const password = await newPassword(context, options.passwordFile);
    const { email, name } = options;
    const { value: person } = await exchange(transport, PEOPLE_ROUTES.setup, {
      body: { email: email.trim().toLowerCase(), password, ...(name ? { name } : {}), ...(token ? { token } : {}) },
      signal: host.signal,
    });
    output.say(`${shownText(person.email)} can sign in now${person.role ? `, as ${person.role}` : ""}.`);
    output.json({ type: "result", command: "server setup", person: person.id, email: person.email, role: person.role });
  } finally {
    await transport.close();
  }
}

function doorOf({ config }: Context, { link, fingerprint }: Options): { transport: HttpTransport; token?: string } {
  if (link === undefined) return { transport: socketTransport(localSocketPath(serverSettings(config).data)) };
  const url = URL.canParse(link) ? new URL(link) : undefined;
  const token = /^#\/setup\/([\w-]{43})$/.exec(url?.hash ?? "")?.[1];
  if (url?.protocol !== "https:" || token === undefined) throw usage("--link must be as the server printed it.");
  const pin = fingerprint === undefined ? undefined : tryFromHex(fingerprint);
  if (fingerprint !== undefined && pin?.length !== 32) throw usage("--fingerprint must be 64 hexadecimal digits.");
  return { transport: httpsTransport({ origin: url.origin, pin }), token };
}

function newPassword(context: Context, file: string | undefined): Promise<string> | string {
  if (file !== undefined) return readFirstLine(file);
  if (context.config.accountPassword !== undefined) return context.config.accountPassword;
  if (!canAsk(context)) throw new AppError("password_missing");
  return askTwice(context, "Password for the account");
}
