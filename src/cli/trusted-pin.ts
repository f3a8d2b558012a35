// Whom to trust at an address that this machine does not know yet: public authorities, or a person who compares a fingerprint.

import { inspectServer } from "../client/http/connect.ts";
import type { Bytes } from "../core/bytes.ts";
import { LIMITS } from "../core/config-schema.ts";
import { AppError } from "../core/errors.ts";
import { askYes, canAsk } from "./ask.ts";
import type { Context } from "./context.ts";
import { shownText } from "./shown-path.ts";

/** Of a server that no public authority vouches for, a person compares the fingerprint, once. */
export async function trustedPin(context: Context, origin: string): Promise<Bytes | undefined> {
  const { clock, signal } = context.host;
  const options = { connectMs: LIMITS.connectMs.value, now: () => clock.now(), signal };
  const { isPublic, pin } = await inspectServer(origin, options);
  if (isPublic) return undefined;
  const fingerprint = pin.toHex();
  if (!canAsk(context)) {
    throw new AppError("server_unknown", { context: { address: origin, fingerprint } });
  }
  context.output.note(`No public authority vouches for ${shownText(origin)}. Its fingerprint is\n  ${fingerprint}`);
  if (await askYes(context, "Is that what the server itself shows when it starts?")) return pin;
  throw new AppError("interrupted");
}
