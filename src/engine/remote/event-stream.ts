// Server-sent events as they come (WHATWG HTML, 9.2.6, as far as our servers use it: one event line, one data line of JSON). What is too long, or no
// JSON, ends the stream: nobody is believed past that.

import { answerInvalid } from "./exchange.ts";

export type ReceivedEvent = { readonly event: string; readonly data: unknown };

const LINE_MAX_CHARACTERS = 2 ** 20;

/** Throws `answer_invalid`, and what reading throws. Comments (heartbeats) are passed over. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ReceivedEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  let event = "message";
  let data: string | undefined;
  for await (const slice of body) {
    rest += decoder.decode(slice, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end).replace(/\r$/, "");
      rest = rest.slice(end + 1);
      if (line.startsWith("event: ")) event = line.slice("event: ".length);
      else if (line.startsWith("data: ")) data = line.slice("data: ".length);
      else if (line === "" && data !== undefined) {
        yield { event, data: parsed(data) };
        [event, data] = ["message", undefined];
      }
    }
    if (rest.length > LINE_MAX_CHARACTERS) throw answerInvalid("a line of its events is too long.");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw answerInvalid("its events are not JSON.", cause);
  }
}
