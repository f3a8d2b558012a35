// Whom the gateway lets in: by source network, by name, and by a date after which a name is retired. Protocol 3 proves nobody's
// identity, so these narrow what can go wrong; they do not make it safe.

import { BlockList, isIP } from "node:net";
import { AppError } from "../core/errors.ts";

export type AdmissionRules = {
  /** Undefined: every name. */
  readonly names?: readonly string[] | undefined;
  /** Addresses or CIDR ranges; undefined: every address. */
  readonly networks?: readonly string[] | undefined;
  /** `NAME=YYYY-MM-DD`: the name is refused from that day on (UTC). */
  readonly retire?: readonly string[] | undefined;
};

export type NameAnswer = "allowed" | "not_listed" | "retired";

export type Admission = {
  allowsAddress(address: string | undefined): boolean;
  /** `retireAt`: what people have set for a registered client, beside the dates given at the start. The earlier one counts. */
  judgeName(user: string, nowMs: number, retireAt: number | undefined): NameAnswer;
  /** Retirement dates, as milliseconds since 1970 UTC, by name. */
  readonly retirements: ReadonlyMap<string, number>;
};

/** Throws `usage` for a network or date that cannot be read. */
export function createAdmission(rules: AdmissionRules): Admission {
  const networks = rules.networks && blockListOf(rules.networks);
  const names = rules.names && new Set(rules.names);
  const retirements = new Map((rules.retire ?? []).map(parseRetirement));
  return {
    retirements,
    allowsAddress(address) {
      if (!networks) return true;
      const plain = address?.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
      const family = isIP(plain ?? "");
      return family !== 0 && networks.check(plain!, family === 4 ? "ipv4" : "ipv6");
    },
    judgeName(user, nowMs, retireAt = Number.POSITIVE_INFINITY) {
      if (names && !names.has(user)) return "not_listed";
      return nowMs >= Math.min(retireAt, retirements.get(user) ?? retireAt) ? "retired" : "allowed";
    },
  };
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix, ...more] = network.split("/");
    const family = isIP(address);
    const bits = family === 4 ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : bits + 1;
    if (family === 0 || more.length > 0 || length > bits) {
      throw usage(`${network} is no network such as 192.0.2.0/24 or 2001:db8::/32.`);
    }
    list.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

function parseRetirement(text: string): [string, number] {
  const at = text.lastIndexOf("=");
  const time = timeOf(text.slice(at + 1));
  if (at < 1 || time === undefined) throw usage(`${text} is no name with a date, such as shop=2027-06-30.`);
  return [text.slice(0, at), time];
}

/** Of a day as `2027-06-30`, in UTC: milliseconds since 1970. Throws `usage`. */
export function dayStart(day: string): number {
  const time = timeOf(day);
  if (time === undefined) throw usage(`${day} is no day such as 2027-06-30.`);
  return time;
}

function timeOf(day: string): number | undefined {
  const time = Date.parse(`${day}T00:00:00Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(day) && Number.isFinite(time);
  return isDay && new Date(time).toISOString().startsWith(day) ? time : undefined;
}

function usage(detail: string): AppError {
  return new AppError("usage", { context: { detail } });
}
