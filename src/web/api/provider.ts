// Signing in by a provider of OpenID Connect: the page leaves for it, and is loaded anew with what it answers behind the `?` of its address. That is taken out
// of the address at once, before anything else looks at it, and goes to the server, which alone can do something with it.

import { AppError } from "../../core/errors.ts";
import { OIDC_ROUTES } from "../../wire/v4/api/oidc-routes.ts";
import { PROVIDER } from "../strings/sign-in.ts";
import { call } from "./call.ts";

/** Where somebody was when they left, so that they go on there. */
const PLACE_KEY = "cyberbackup-sign-in-place";

type Answer = { readonly code: string; readonly state: string; readonly iss?: string } | { readonly error: string };

let answer = readAnswer();

/** What a provider has sent this page; once. */
export function takeProviderAnswer(): Answer | undefined {
  const taken = answer;
  answer = undefined;
  return taken;
}

/** Leaves the page. Throws what the server refuses, and `sign_in_provider` in a page of another machine (`cyberbackup web`). */
export async function goToProvider(provider: string, rememberMe: boolean): Promise<void> {
  const { origin, url } = await call(OIDC_ROUTES.oidcBegin, { body: { provider, rememberMe } });
  if (origin !== location.origin) {
    throw new AppError("sign_in_provider", { context: { name: PROVIDER.it, detail: PROVIDER.elsewhere(origin) } });
  }
  sessionStorage.setItem(PLACE_KEY, location.hash);
  location.assign(url);
}

/** True when the authenticator's code is asked for as well. */
export async function finishByProvider(given: Answer): Promise<boolean> {
  if ("error" in given) {
    const detail = given.error === "access_denied" ? PROVIDER.denied : PROVIDER.failed;
    throw new AppError("sign_in_provider", { context: { name: PROVIDER.it, detail } });
  }
  return (await call(OIDC_ROUTES.oidcFinish, { body: given })).needsFactor;
}

function readAnswer(): Answer | undefined {
  const query = new URLSearchParams(location.search);
  const [code, state, error, iss] = ["code", "state", "error", "iss"].map((name) => query.get(name));
  if (!state || !(code || error)) return undefined;
  const place = sessionStorage.getItem(PLACE_KEY) ?? "";
  sessionStorage.removeItem(PLACE_KEY);
  history.replaceState(null, "", `${location.pathname}${place.startsWith("#/") ? place : ""}`);
  return code ? { code, state, ...(iss && { iss }) } : { error: error! };
}
