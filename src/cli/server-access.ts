// A server that a command speaks to: whom to trust there, and in whose name. Loaded only by commands that need it.

import { httpsTransport, socketTransport } from "../client/http/node-transport.ts";
import type { ServerFile } from "../client/server-file.ts";
import { type Bytes, tryFromHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import type { Signer } from "../crypto/signature.ts";
import { ApiClient } from "../engine/remote/api-client.ts";
import { apiKeyCredentials, type Credentials, deviceCredentials, nobody } from "../engine/remote/credentials.ts";
import { Retrier } from "../engine/remote/retrier.ts";
import { tracedTransport } from "../engine/remote/traced-transport.ts";
import type { HttpTransport } from "../engine/remote/transport.ts";
import { PEOPLE_ROUTES } from "../wire/v4/api/people-routes.ts";
import { askText, canAsk } from "./ask.ts";
import type { Context } from "./context.ts";
import { usage } from "./parse-values.ts";
import { shownText } from "./shown-path.ts";

export type ServerAccess = {
  /** `https://host:port`, or the path of a local socket. */
  readonly origin: string;
  readonly pin: Bytes | undefined;
  readonly transport: HttpTransport;
  /** True when there is an API key, or none is needed. */
  readonly hasAccount: boolean;
  /** Calls as the person who has logged in; without one every call throws `not_logged_in`. */
  readonly people: ApiClient;
  readonly nobody: ApiClient;
  as(device: Signer, vault: VaultId): ApiClient;
  /** Asks a person for the code of their authenticator and hands it in; false when nobody can be asked. */
  giveFactor(): Promise<boolean>;
};

/** How often a person is told that the server does not answer. */
const TELL_EVERY_MS = 30_000;
const PIN_BYTES = 32;
const RUN_BYTES = 8;

/** `file` is what this machine knows of the server. Throws `usage` for a pin that is none. */
export function reachServer(
  context: Context,
  origin: string,
  file: ServerFile | undefined,
  writerPin?: Bytes,
): ServerAccess {
  const { config } = context;
  const pin = pinSetting(config.serverPin) ?? file?.pin ?? writerPin;
  const transport = httpsTransport({ origin, pin }, { clock: context.host.clock });
  const key = config.apiKey ?? file?.login?.key;
  return access(
    context,
    transport,
    pin,
    key === undefined ? noAccount(origin) : apiKeyCredentials(key),
    key !== undefined,
  );
}

/** By the socket in a server's data folder: whoever can open it is an owner. */
export function reachLocalServer(context: Context, socketPath: string): ServerAccess {
  return access(context, socketTransport(socketPath), undefined, nobody, true);
}

/** A SHA-256, in hex; colons between bytes do not matter. */
export function pinSetting(text: string | undefined): Bytes | undefined {
  if (text === undefined) return undefined;
  const pin = tryFromHex(text.replace(/[:\s]/g, ""));
  if (pin?.length === PIN_BYTES) return pin;
  throw usage("The pin of a server is a SHA-256: 64 hexadecimal digits.");
}

function access(
  context: Context,
  given: HttpTransport,
  pin: Bytes | undefined,
  person: Credentials,
  hasAccount: boolean,
): ServerAccess {
  const { clock, random, signal } = context.host;
  const retrier = new Retrier({ clock, random, onWait: tellWaits(context) });
  const run = random.bytes(RUN_BYTES).toHex();
  const transport = tracedTransport(given, { run, logger: context.logger, clock });
  const client = (credentials: Credentials): ApiClient => new ApiClient({ transport, credentials, retrier, signal });
  const people = client(person);
  return {
    origin: transport.origin,
    pin,
    transport,
    hasAccount,
    people,
    nobody: client(nobody),
    as: (signer, vault) => client(deviceCredentials({ transport, vault, signer, clock })),
    async giveFactor() {
      if (!canAsk(context)) return false;
      const code = (await askText(context, "Code of your authenticator")).trim();
      await people.call(PEOPLE_ROUTES.secondFactor, { body: { code } });
      return true;
    },
  };
}

function tellWaits({ host, output }: Context): (error: AppError, waitMs: number) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = host.clock.monotonic();
    if (now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    output.note(`${shownText(error.message)} Trying again.`);
  };
}

function noAccount(address: string): Credentials {
  return {
    async authorization() {
      throw new AppError("not_logged_in", { context: { address } });
    },
    refused: () => false,
  };
}
