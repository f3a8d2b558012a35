// better-auth's session and cookie for somebody who has proven a passkey to us (passkeys.ts). It stands behind no address: only our own
// handler calls it, after the proof.

import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";

export const BY_PASSKEY_PATH = "/sign-in/by-passkey";

export function sessionByPasskey() {
  return {
    id: "session-by-passkey",
    endpoints: {
      signInByPasskey: createAuthEndpoint(
        BY_PASSKEY_PATH,
        {
          method: "POST",
          body: z.strictObject({ person: z.string(), rememberMe: z.boolean() }),
          metadata: { SERVER_ONLY: true },
        },
        async (context) => {
          const { person, rememberMe } = context.body;
          const { internalAdapter } = context.context;
          const user = await internalAdapter.findUserById(person);
          // Removed while the passkey was checked.
          if (user === null) throw new APIError("UNAUTHORIZED");
          const session = await internalAdapter.createSession(user.id, !rememberMe);
          await setSessionCookie(context, { session, user }, !rememberMe);
          return context.json({});
        },
      ),
    },
  } satisfies BetterAuthPlugin;
}
