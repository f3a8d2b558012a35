// One HTTP request to an address that an owner has set. Guards against being used to reach what it should not (SSRF): follows no
// redirect, speaks to no link-local address (where clouds keep the credentials of machines) whatever a name resolves to, reads
// little of an answer and tells nothing of it but its status, and takes ten seconds in all. docs/notifications.md.

import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP } from "node:net";
import type { Outcome } from "./outcome.ts";

export type Posting = {
  readonly url: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 10_000;
const ANSWER_BYTES = 64 * 1024;
const LONGEST_WAIT_MS = 3_600_000;

const FORBIDDEN = new BlockList();
FORBIDDEN.addSubnet("169.254.0.0", 16);
FORBIDDEN.addSubnet("0.0.0.0", 8);
FORBIDDEN.addSubnet("224.0.0.0", 4);
FORBIDDEN.addAddress("255.255.255.255");
FORBIDDEN.addSubnet("fe80::", 10, "ipv6");
FORBIDDEN.addSubnet("ff00::", 8, "ipv6");
FORBIDDEN.addAddress("::", "ipv6");
// Amazon's metadata over IPv6.
FORBIDDEN.addAddress("fd00:ec2::254", "ipv6");

/** Never throws. */
export async function post(posting: Posting): Promise<Outcome> {
  try {
    return await tryPost(posting);
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    if (code === "EFORBIDDEN") return { isSent: false, isFinal: true, why: "its address is one that is never called" };
    if (code === "ERR_INVALID_URL") return { isSent: false, isFinal: true, why: "its address is none" };
    const why = name === "TimeoutError" || name === "AbortError" ? "it did not answer in time" : unreachable(code);
    return { isSent: false, isFinal: false, why };
  }
}

function unreachable(code: string | undefined): string {
  return /^[A-Z][A-Z0-9_]{2,40}$/.test(code ?? "") ? `it could not be reached (${code})` : "it could not be reached";
}

function tryPost({ url, method = "POST", headers = {}, body, timeoutMs = TIMEOUT_MS }: Posting): Promise<Outcome> {
  const address = new URL(url);
  const host = address.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && isForbidden(host)) return Promise.reject(forbidden());
  const signal = AbortSignal.timeout(timeoutMs);
  const options: RequestOptions = {
    ...{ method, signal, agent: false, lookup: guardedLookup },
    headers: {
      ...headers,
      "user-agent": "CyberBackup",
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    },
  };
  const request = address.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(address, options, (response) => {
      let bytes = 0;
      // Enough is known with the head; the rest is read so that the other side sees its answer taken.
      resolve(judged(response.statusCode ?? 0, response.headers["retry-after"]));
      response.on("data", (slice: Uint8Array) => {
        bytes += slice.length;
        if (bytes > ANSWER_BYTES) response.destroy();
      });
      response.on("error", () => undefined);
    });
    sent.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    sent.end(body);
  });
}

function judged(status: number, retryAfter: string | undefined): Outcome {
  if (status >= 200 && status < 300) return { isSent: true };
  const why = `it answered with status ${status}`;
  if (status >= 300 && status < 400) return { isSent: false, isFinal: true, why: `${why}: redirects are not followed` };
  const waitMs = retryAfter !== undefined && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
  const retryAfterMs = waitMs === undefined ? undefined : Math.min(waitMs, LONGEST_WAIT_MS);
  // A time-out, a conflict, too early and too many are for later; what else is refused stays refused.
  const isFinal = status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status);
  return { isSent: false, isFinal, why, retryAfterMs };
}

/** Judges what a name resolves to, in the very lookup that the connection uses: a second one could answer otherwise. */
function guardedLookup(
  host: string,
  options: LookupOptions,
  done: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
): void {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error) return done(error, []);
    const allowed = found.filter(({ address }) => !isForbidden(address));
    const [first] = allowed;
    if (first === undefined) return done(forbidden(), []);
    if (options.all) return done(null, allowed);
    done(null, first.address, first.family);
  });
}

function isForbidden(address: string): boolean {
  // BlockList judges IPv4 that is written as IPv6 by the rules for IPv4.
  return FORBIDDEN.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function forbidden(): NodeJS.ErrnoException {
  return Object.assign(new Error("forbidden"), { code: "EFORBIDDEN" });
}
