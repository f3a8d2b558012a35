// How a recovery key is written for people: in groups that can be found, read and typed one by one.

const GROUP = 6;

/** The constant beginning is a group of its own, so that the others are all of the key itself. */
export function groupsOf(identity: string): string[] {
  const start = identity.lastIndexOf("1", 20) + 1;
  const body = identity.slice(start);
  const groups = [identity.slice(0, start)];
  for (let at = 0; at < body.length; at += GROUP) groups.push(body.slice(at, at + GROUP));
  return groups;
}

/** Upper and lower case, blanks and dashes do not matter (Bech32, BIP 173, has one case and neither of the others). */
export function checkGroups(identity: string, asked: readonly number[], typed: readonly string[]): boolean {
  const groups = groupsOf(identity);
  return asked.every((at, i) => groups[at] !== undefined && plain(typed[i] ?? "") === plain(groups[at]));
}

function plain(text: string): string {
  return text.replace(/[\s-]+/g, "").toUpperCase();
}
