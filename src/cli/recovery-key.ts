// Shows a recovery key the one time that it can be shown: as text, on a terminal as a QR code too, and what it is worth.

import { renderUnicodeCompact } from "uqr";
import { isTerminal } from "../node/terminal.ts";
import type { Context } from "./context.ts";

export function showRecoveryKey({ host, output }: Context, recoveryKey: string): void {
  output.say("");
  output.say(output.paint.bold("Recovery key. It is shown this once and stored nowhere:"));
  output.say("");
  // Quiet is for scripts that keep it: then it stands alone.
  output.print(output.isQuiet ? recoveryKey : `  ${recoveryKey}`);
  output.say("");
  if (isTerminal(host.stdout)) output.say(renderUnicodeCompact(recoveryKey, { ecc: "L" }));
  output.say("Print it or write it down, and keep it away from this machine. With it and --identity-file,");
  output.say("everything can be restored even when the passphrase is forgotten.");
  output.say("If passphrase and recovery key are both lost, nobody can read the vault again: there is no back door.");
}
