// Names of users and groups, both ways, from the text of /etc/passwd and /etc/group (passwd(5), group(5)).
// The files are read at the first question and kept. Accounts that only a directory service knows have no name here:
// their numbers are stored and restored.

export type Owners = {
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
};

/** The text of a file, or undefined when it cannot be read. */
export type TextReader = (path: string) => string | undefined;

type Table = { readonly names: ReadonlyMap<number, string>; readonly ids: ReadonlyMap<string, number> };

/** Names longer than this do not fit into a tree's owner table (docs/format.md, Tree chunks). */
const NAME_MAX_BYTES = 255;
const ID_COLUMN = 2;

export function createOwners(readText: TextReader): Owners {
  const users = once(() => parse(readText("/etc/passwd") ?? ""));
  const groups = once(() => parse(readText("/etc/group") ?? ""));
  return {
    userName: (uid) => users().names.get(uid),
    groupName: (gid) => groups().names.get(gid),
    userId: (name) => users().ids.get(name),
    groupId: (name) => groups().ids.get(name),
  };
}

/** The first line of a number or name counts, as it does for the C library. Lines that are none are passed over. */
function parse(text: string): Table {
  const names = new Map<number, string>();
  const ids = new Map<string, number>();
  for (const line of text.split("\n")) {
    const fields = line.split(":");
    const [name = ""] = fields;
    const number = fields[ID_COLUMN] ?? "";
    if (name === "" || /^[#+-]/.test(name) || !/^\d{1,10}$/.test(number)) continue;
    if (Buffer.byteLength(name) > NAME_MAX_BYTES) continue;
    const id = Number(number);
    if (!names.has(id)) names.set(id, name);
    if (!ids.has(name)) ids.set(name, id);
  }
  return { names, ids };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
