// The one cache of answers. What the server refuses because a sign-in has ended makes the page look who is signed in; what a person
// did and nobody else shows goes to a toast.

import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { isAppError } from "../../core/errors.ts";
import { lookAgain } from "./session.ts";

const TRIES = 2;

export function makeQueryClient(showError: (error: unknown) => void): QueryClient {
  const onError = (error: unknown): void => {
    if (isAppError(error, "login_failed") || isAppError(error, "token_expired")) void lookAgain(client);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({
      onError(error, _variables, _context, mutation) {
        onError(error);
        if (mutation.meta?.isShown !== true) showError(error);
      },
    }),
    defaultOptions: {
      queries: {
        networkMode: "always",
        staleTime: 10_000,
        retry: (count, error) => isAppError(error, "server_unreachable") && count < TRIES,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
      },
      mutations: { networkMode: "always" },
    },
  });
  return client;
}
