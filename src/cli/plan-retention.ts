// Who decides how long a plan's snapshots stay. In a folder it is the plan itself, by its `keep`; at a server an owner does, because a device may delete
// nothing there: then a plan's own rules are told of, never passed over in silence.

import { parseVaultAddress } from "../client/vault-address.ts";
import type { Plan } from "../wire/v4/plan-body.ts";
import type { Context } from "./context.ts";
import type { FoundVault } from "./plan-find.ts";
import { shownText } from "./shown-path.ts";

export function retentionBy({ place }: FoundVault): "plan" | "server" {
  return parseVaultAddress(place.vault).kind === "server" ? "server" : "plan";
}

/** Beside the result; nothing where the plan itself decides. */
export function tellRetention(
  { output }: Context,
  found: FoundVault,
  { name, keep }: Pick<Plan, "name" | "keep">,
): void {
  const address = parseVaultAddress(found.place.vault);
  if (address.kind === "folder") return;
  const page = `${address.origin}/#/vaults/${found.vault}/retention`;
  const where = `An owner sets what is kept there: cyberbackup plan keep ${shownText(name)} --keep-daily 14, or ${page}`;
  if (keep === undefined) output.note(where);
  else output.warn(`The plan's --keep rules do not count at a server: a device may delete nothing there. ${where}`);
}
