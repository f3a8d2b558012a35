// `logout`: ends the API key that `login` made, here and on the server.

import type { Command } from "commander";
import { openHome } from "../../client/home.ts";
import { isAppError } from "../../core/errors.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { action, type Context } from "../context.ts";
import { addExamples, type Cli } from "../program.ts";
import { reachServer } from "../server-access.ts";
import { serverOrigin } from "../server-origin.ts";
import { shownText } from "../shown-path.ts";

export function define(command: Command, cli: Cli): void {
  command.argument("[url]", "The server, as https://host:port (default: that of the vault).").action(action(cli, run));
  addExamples(command, [["cyberbackup logout https://backup.example.org", "what is enrolled stays so"]]);
}

async function run(context: Context, _options: object, url: string | undefined): Promise<undefined> {
  const { config, logger, output } = context;
  const origin = serverOrigin(context, url);
  const home = openHome(config.home, logger);
  const file = await home.server(origin);
  const login = file?.login;
  if (file && login) {
    // First here: whatever the server says, this machine forgets the key.
    await home.saveServer({ ...file, login: undefined });
    const server = reachServer({ ...context, config: { ...config, apiKey: undefined } }, origin, file);
    try {
      await server.people.call(PEOPLE_ROUTES.dropApiKey, { params: { id: login.keyId } });
    } catch (error) {
      if (!isAppError(error)) throw error;
      output.warn(
        `The server could not be told (${shownText(error.message)}) End the key there too, if it still works.`,
      );
    } finally {
      await server.transport.close();
    }
  }
  output.say(login ? `Logged out of ${shownText(origin)}.` : `Nobody was logged in to ${shownText(origin)}.`);
  output.json({ type: "result", command: "logout", server: origin, wasLoggedIn: login !== undefined });
}
