// Calls a route of the server: typed by its row in the tables that the server mounts (src/wire/v4/api). An answer with an ETag is
// remembered, so that asking again costs the server little and the line nothing.

import { type AnswerOf, type Asked, exchange, IF_NONE_MATCH, NOT_MODIFIED } from "../../engine/remote/exchange.ts";
import { pathOf, type Route } from "../../wire/v4/api/route.ts";
import { pageSender } from "./sender.ts";

const REMEMBERED = 64;
const remembered = new Map<string, { readonly etag: string; readonly value: unknown }>();

/** Throws the problem that the server names, `server_unreachable`, `answer_invalid`, `interrupted`. */
export async function call<R extends Route>(route: R, asked: Asked<R>): Promise<AnswerOf<R>> {
  const key = route.method === "GET" ? `${pathOf(route, asked.params ?? {})} ${JSON.stringify(asked.query ?? {})}` : "";
  const before = remembered.get(key);
  const headers = before === undefined ? asked.headers : { ...asked.headers, [IF_NONE_MATCH]: before.etag };
  const { status, value, header } = await exchange(pageSender, route, { ...asked, ...(headers && { headers }) });
  if (status === NOT_MODIFIED && before !== undefined) return before.value as AnswerOf<R>;
  const etag = header("etag");
  if (key !== "" && etag !== undefined) remember(key, etag, value);
  return value;
}

/** When somebody signs out, nothing of theirs stays. */
export function forgetAnswers(): void {
  remembered.clear();
}

function remember(key: string, etag: string, value: unknown): void {
  remembered.delete(key);
  remembered.set(key, { etag, value });
  for (const oldest of remembered.keys()) {
    if (remembered.size <= REMEMBERED) return;
    remembered.delete(oldest);
  }
}
