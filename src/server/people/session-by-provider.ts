// better-auth's session and cookie for somebody whom a provider has vouched for (oidc-client.ts). It stands behind no address: only our own handler calls it,
// after the check. Who has an authenticator here gives its code all the same: then there is no session yet, but the cookie by which better-auth's own second
// step of signing in knows whom it is about, as its plug-in makes it after a password.

import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";

const FACTOR_COOKIE = "two_factor";
const FACTOR_SECONDS = 600;

export function sessionByProvider(random: () => string) {
  return {
    id: "session-by-provider",
    endpoints: {
      signInByProvider: createAuthEndpoint(
        "/sign-in/by-provider",
        {
          method: "POST",
          body: z.strictObject({ person: z.string(), rememberMe: z.boolean() }),
          metadata: { SERVER_ONLY: true },
        },
        async (context) => {
          const { person, rememberMe } = context.body;
          const { internalAdapter, createAuthCookie, secret } = context.context;
          const user = await internalAdapter.findUserById(person);
          // Removed while the provider was asked.
          if (user === null) throw new APIError("UNAUTHORIZED");
          if ((user as { twoFactorEnabled?: unknown }).twoFactorEnabled) {
            const identifier = `2fa-${random()}`;
            const expiresAt = new Date(Date.now() + FACTOR_SECONDS * 1000);
            await internalAdapter.createVerificationValue({ value: user.id, identifier, expiresAt });
            await internalAdapter.createVerificationValue({
              value: "0",
              identifier: `2fa-attempts-${identifier}`,
              expiresAt,
            });
            const cookie = createAuthCookie(FACTOR_COOKIE, { maxAge: FACTOR_SECONDS });
            await context.setSignedCookie(cookie.name, identifier, secret, cookie.attributes);
            return context.json({ needsFactor: true });
          }
          const session = await internalAdapter.createSession(user.id, !rememberMe);
          await setSessionCookie(context, { session, user }, !rememberMe);
          return context.json({ needsFactor: false });
        },
      ),
    },
  } satisfies BetterAuthPlugin;
}
