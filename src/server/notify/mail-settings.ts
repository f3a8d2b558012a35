// The mail server of notifications, from the settings. Judged when the server starts, without a connection.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { PORTS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";

export type MailSettings = {
  /** `smtps://user@host:port` (TLS) or `smtp://user@host:port` (STARTTLS). */
  readonly url: string;
  readonly password: string | undefined;
  /** PEM file of an authority that signed the mail server's certificate. */
  readonly caFile: string | undefined;
  readonly from: string;
};

export type MailPlace = {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly user: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
};

/** Throws `config_invalid`, `io`. */
export function checkMailSettings({ url, caFile }: MailSettings): MailPlace {
  return { ...placeOf(url), ca: caFile === undefined ? undefined : readPem(caFile) };
}

function placeOf(text: string): Omit<MailPlace, "ca"> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTls = url?.protocol === "smtps:";
  if (!url || (!isTls && url.protocol !== "smtp:") || url.hostname === "" || url.password !== "") {
    const detail = "smtp must look like smtps://user@host or smtp://user@host:port, without a password.";
    throw new AppError("config_invalid", { context: { detail } });
  }
  const byDefault = isTls ? PORTS.submissions.value : PORTS.submission.value;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? byDefault : Number(url.port),
    isTls,
    user: url.username === "" ? undefined : decodeURIComponent(url.username),
  };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("io", { cause, context: { path, detail: (cause as Error).message } });
  }
}
