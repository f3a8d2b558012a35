// `login`: e-mail, password and second factor of an account of a server, for an API key that this machine keeps. It is for people who
// administer or read; devices prove themselves by their own keys (`enroll`).

import { hostname } from "node:os";
import type { Command } from "commander";
import { openHome } from "../../client/home.ts";
import { newServerFile } from "../../client/server-file.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { askSecret, askText, canAsk } from "../ask.ts";
import { action, type Context } from "../context.ts";
import { usage } from "../parse-values.ts";
import { readFirstLine } from "../passphrase.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { pinSetting, reachServer, type ServerAccess } from "../server-access.ts";
import { serverOrigin } from "../server-origin.ts";
import { shownText } from "../shown-path.ts";
import { trustedPin } from "../trusted-pin.ts";

type Options = { readonly email?: string; readonly passwordFile?: string; readonly code?: string };

export function define(command: Command, cli: Cli): void {
  command
    .argument("[url]", "The server, as https://host:port (default: that of the vault).")
    .option("--email <address>", "Of the account (default: asks).")
    .option("--password-file <file>", "File whose first line is the account's password (default: asks).")
    .option("--code <digits>", "Code of the authenticator, if the account has one (default: asks).")
    .addOption(settingOption("serverPin"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup login https://backup.example.org", "asks for e-mail address and password"],
    ["cyberbackup logout https://backup.example.org", "ends it again"],
  ]);
}

async function run(context: Context, options: Options, url: string | undefined): Promise<undefined> {
  const { config, logger, output } = context;
  const origin = serverOrigin(context, url);
  const home = openHome(config.home, logger);
  const known = (await home.server(origin)) ?? newServerFile(origin, undefined);
  const pin = pinSetting(config.serverPin) ?? known.pin ?? (await trustedPin(context, origin));
  const server = reachServer(context, origin, { ...known, pin });
  try {
    const email = options.email ?? (await askedEmail(context));
    const password = options.passwordFile
      ? await readFirstLine(options.passwordFile)
      : (config.accountPassword ?? (await askedPassword(context)));
    const { id, key, role } = await logIn(context, server, { email, password, code: options.code });
    await home.saveServer({ ...known, pin, login: { email, keyId: id, key } });
    output.say(`Logged in to ${shownText(origin)} as ${shownText(email)} (${role}). \`cyberbackup logout\` ends it.`);
    output.json({ type: "result", command: "login", server: origin, email, role });
  } finally {
    await server.transport.close();
  }
}

/** Asks for the second factor when it is needed. */
async function logIn(
  context: Context,
  { nobody }: ServerAccess,
  given: { email: string; password: string; code: string | undefined },
) {
  const name = hostname() || "a command line";
  const ask = (code: string | undefined) => {
    const { email, password } = given;
    return nobody.call(PEOPLE_ROUTES.personLogin, { body: { email, password, name, ...(code ? { code } : {}) } });
  };
  try {
    return await ask(given.code);
  } catch (error) {
    if (given.code !== undefined || !isAppError(error, "second_factor_needed") || !canAsk(context)) throw error;
    return ask((await askText(context, "Code of your authenticator")).trim());
  }
}

function askedEmail(context: Context): Promise<string> {
  if (canAsk(context)) return askText(context, "E-mail address");
  throw usage("The account's e-mail address is needed and there is no terminal to ask on: give --email.");
}

function askedPassword(context: Context): Promise<string> {
  if (canAsk(context)) return askSecret(context, "Password");
  throw new AppError("password_missing");
}
