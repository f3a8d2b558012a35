// Server-sent events out of the bytes of an answer (WHATWG HTML, 9.2.6), as far as the server sends them: id, event and one line of
// data. Comments are heartbeats: they come out as undefined, so that silence can be told from peace.

export type LiveEvent = {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
};

const LONGEST = 1 << 20;

export async function* readEvents(slices: AsyncIterable<Uint8Array>): AsyncGenerator<LiveEvent | undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const slice of slices) {
    rest += decoder.decode(slice, { stream: true });
    if (rest.length > LONGEST) throw new Error("An event is too long.");
    const blocks = rest.split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) yield eventOf(block);
  }
}

function eventOf(block: string): LiveEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).replace(/^ /, ""));
  }
  const event = fields.get("event");
  if (event === undefined) return undefined;
  return { id: fields.get("id") ?? "", event, data: dataOf(fields.get("data") ?? "{}") };
}

function dataOf(text: string): LiveEvent["data"] {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? (value as LiveEvent["data"]) : {};
}
