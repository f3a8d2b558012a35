// Whether something serves the page or the API at an address of this machine: for health checks. Nothing secret is sent and nothing
// that comes is believed, so any certificate will do.

import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { LIMITS } from "../core/config-schema.ts";

export async function answersAt(url: URL, signal: AbortSignal): Promise<boolean> {
  const request = url.protocol === "https:" ? requestTls : requestPlain;
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.connectMs.value)]);
  return new Promise((resolve) => {
    request(url, { rejectUnauthorized: false, signal: timeout, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", () => resolve(false))
      .end();
  });
}
