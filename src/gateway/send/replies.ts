// What a server's reply means to whoever waits for another: a refusal, or a server that is out of step.

import { AppError } from "../../core/errors.ts";
import { REPLY, type Reply } from "../../wire/v3/messages.ts";

/** The reply, if it is one of `codes`. Throws `v3_refused` (1607), which names `what`, and `v3_protocol`. */
export function expectReply<const Code extends Reply["code"]>(
  reply: Reply,
  codes: readonly Code[],
  what: string,
): Reply & { readonly code: Code } {
  if ((codes as readonly number[]).includes(reply.code)) return reply as Reply & { readonly code: Code };
  if (reply.code === REPLY.error) throw new AppError("v3_refused", { context: { what } });
  throw unexpected(`${reply.code} came in place of ${codes.join(" or ")}`);
}

export function unexpected(detail: string): AppError {
  return new AppError("v3_protocol", { context: { detail } });
}
