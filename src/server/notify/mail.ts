// E-mail through the mail server that is set up. Without TLS only to a mail server on this machine: passwords and notices do not
// cross a network in the open. The message's id is the delivery's, so that a second one of the same is known as such.

import { createTransport } from "nodemailer";
import { checkMailSettings, isLoopback, type MailSettings } from "./mail-settings.ts";
import type { Outcome } from "./outcome.ts";

export type Letter = {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly isGrave: boolean;
};

export type Mailer = { send(letter: Letter): Promise<Outcome> };

const TIMEOUT_MS = 15_000;

/** Throws `config_invalid`, `io`. */
export function makeMailer(settings: MailSettings): Mailer {
  const { host, port, isTls, user, ca } = checkMailSettings(settings);
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    requireTLS: !isTls && !isLoopback(host),
    ...(user === undefined ? {} : { auth: { user, pass: settings.password ?? "" } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // The text is ours alone: nothing in it may name a file or an address to be fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
    // What this machine is called is nobody's business.
    name: "cyberbackup",
    tls: { minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) },
  });
  return {
    async send({ id, to, subject, text, isGrave }) {
      try {
        await transport.sendMail({
          from: settings.from,
          to: { name: "", address: to },
          subject: `CyberBackup: ${subject}`,
          text,
          messageId: `<${id}@cyberbackup>`,
          headers: { "Auto-Submitted": "auto-generated", ...(isGrave ? { Importance: "high" } : {}) },
        });
        return { isSent: true };
      } catch (error) {
        return refusal(error as { code?: string; responseCode?: number });
      }
    },
  };
}

/** RFC 5321, 4.2.1: 5yz is for good, 4yz for now. Wrong passwords may be mended, so they are tried again. */
function refusal({ code, responseCode }: { code?: string; responseCode?: number }): Outcome {
  if (responseCode !== undefined && responseCode >= 400) {
    const isFinal = responseCode >= 500 && code !== "EAUTH";
    return { isSent: false, isFinal, why: `the mail server answered ${responseCode}` };
  }
  const shown = /^E[A-Z]{2,20}$/.test(code ?? "") ? ` (${code})` : "";
  return { isSent: false, isFinal: false, why: `the mail server could not be used${shown}` };
}
