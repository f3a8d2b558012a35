// The server's settings, made of the one table of settings, judged together.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { type Config, PORTS } from "../core/config-schema.ts";
import { AppError } from "../core/errors.ts";
import { checkMailSettings, type MailSettings } from "./notify/mail-settings.ts";
import { type OidcProvider, oidcProviders } from "./people/oidc-settings.ts";

export type Endpoint = { readonly host: string; readonly port: number };

export type ServerSettings = {
  /** The server's data folder. */
  readonly data: string;
  /** Where HTTPS is served; undefined when a proxy does that. */
  readonly listen: Endpoint | undefined;
  /** Where plain HTTP is served: on loopback, or to a proxy. */
  readonly listenHttp: Endpoint | undefined;
  /** True when nobody has asked for that door: the server starts without it where its port is taken. */
  readonly isHttpOptional?: boolean;
  /** PEM files of a certificate that was given. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Takes the caller's address from the proxy. */
  readonly trustProxy: boolean;
  /** Origin under which devices and people reach a proxy: `https://host:port`. */
  readonly publicUrl: string | undefined;
  /** PEM file of the certificate that the proxy shows. */
  readonly proxyCertificateFile: string | undefined;
  /** Whether the page is served. */
  readonly web: boolean;
  /** Bytes that must stay free on the disk for a new session. */
  readonly reserveBytes: number;
  /** All that is stored is read once in so many days. */
  readonly scrubDays: number;
  /** 0: as fast as it goes. */
  readonly scrubBytesPerSecond: number;
  /** By which mail server notifications go out; undefined: no e-mail is sent. */
  readonly mail?: MailSettings | undefined;
  /** By whom people may sign in beside their passwords. */
  readonly oidc?: readonly OidcProvider[];
};

/** Throws `config_invalid`. */
export function serverSettings(config: Config): ServerSettings {
  const trustProxy = config.trustProxy === "on";
  const { tlsCert: certFile, tlsKey: keyFile } = config;
  if ((certFile === undefined) !== (keyFile === undefined)) invalid("tlsCert and tlsKey belong together.");
  // Whoever names one of the two doors gets what they name; otherwise there are both.
  const isUsual = config.listen === undefined && config.listenHttp === undefined;
  const listenHttp = endpoint("listenHttp", config.listenHttp) ?? (trustProxy || isUsual ? loopback() : undefined);
  if (listenHttp && !trustProxy && !isLoopback(listenHttp.host)) {
    invalid("listenHttp is not encrypted, so without trustProxy it must be a loopback address.");
  }
  return {
    data: serverDataFolder(config),
    listen: endpoint("listen", config.listen) ?? (trustProxy ? undefined : everywhere()),
    listenHttp,
    isHttpOptional: isUsual && !trustProxy,
    tls: certFile === undefined ? undefined : { certFile, keyFile: keyFile! },
    trustProxy,
    publicUrl: config.publicUrl === undefined ? undefined : originOf(config.publicUrl),
    proxyCertificateFile: config.proxyCertificate,
    web: config.web === "on",
    reserveBytes: config.reserveMiB * 2 ** 20,
    scrubDays: config.scrubDays,
    scrubBytesPerSecond: config.scrubMiBps * 2 ** 20,
    mail: mailSettings(config),
    oidc: oidcProviders(config),
  };
}

function mailSettings(config: Config): MailSettings | undefined {
  const { smtp, mailFrom, smtpPassword, smtpPasswordFile, smtpCa } = config;
  if (smtp === undefined) return undefined;
  if (mailFrom === undefined) return invalid("smtp needs mailFrom: who notifications come from.");
  const password = smtpPassword ?? (smtpPasswordFile === undefined ? undefined : firstLine(smtpPasswordFile));
  const mail = { url: smtp, password, caFile: smtpCa, from: mailFrom };
  // What cannot be used is told at the start, not when the first alert is to go out.
  checkMailSettings(mail);
  return mail;
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/, 1)[0] ?? "";
  } catch (cause) {
    throw new AppError("io", { cause, context: { path, detail: (cause as Error).message } });
  }
}

export function serverDataFolder({ data, home }: Pick<Config, "data" | "home">): string {
  return data ?? join(home, "server");
}

function everywhere(): Endpoint {
  return { host: "0.0.0.0", port: PORTS.deviceApi.value };
}

function loopback(): Endpoint {
  return { host: "127.0.0.1", port: PORTS.server.value };
}

/** `127.0.0.1:9443`, `[::1]:9443`, `:9443`; port 0 takes any that is free. Throws `config_invalid`. */
export function parseEndpoint(key: string, text: string): Endpoint {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (!found || port > 65_535) return invalid(`${key} must be an address and a port, as 127.0.0.1:0 or [::1]:0.`);
  return { host: found[1] ?? (found[2] || everywhere().host), port };
}

function endpoint(key: string, text: string | undefined): Endpoint | undefined {
  return text === undefined ? undefined : parseEndpoint(key, text);
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function originOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return invalid("publicUrl must be an address like https://backup.example.org.");
  }
  return new URL(url).origin;
}

function invalid(detail: string): never {
  throw new AppError("config_invalid", { context: { detail } });
}
