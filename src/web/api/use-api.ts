// Routes as React sees them: `useApi` for what is shown, `useAction` for what somebody does. Keys of the cache begin with the route,
// so that `refresh` finds all answers of one.

import {
  type QueryClient,
  type UseMutationResult,
  type UseQueryOptions,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { type AppError, isAppError } from "../../core/errors.ts";
import type { AnswerOf, Asked } from "../../engine/remote/exchange.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import { askForFactor } from "./ask-factor.ts";
import { call } from "./call.ts";

export type Params<R extends Route> = Pick<Asked<R>, "params" | "query">;
type Options<R extends Route, T> = Omit<
  UseQueryOptions<AnswerOf<R>, AppError, T>,
  "queryKey" | "queryFn" | "select"
> & { readonly select?: (answer: AnswerOf<R>) => T };

/** For a route without a body; runs again when events say that its answer has changed (invalidation.ts). */
export function useApi<R extends Route, T = AnswerOf<R>>(
  route: R,
  params: Params<R> = {},
  options: Options<R, T> = {},
): UseQueryResult<T, AppError> {
  return useQuery<AnswerOf<R>, AppError, T>({
    ...options,
    queryKey: keyOf(route, params),
    queryFn: ({ signal }) => call(route, { ...params, signal } as unknown as Asked<R>),
  });
}

export type ActionOptions<R extends Route> = {
  /** Routes whose answers are asked for again afterwards. */
  readonly refreshes?: readonly Route[];
  readonly onDone?: (answer: AnswerOf<R>, asked: Asked<R>) => void;
  /** True where the page shows `error` itself: then there is no toast. */
  readonly showsError?: boolean;
};

/** What a server guards by a fresh second factor asks for one, and goes on. Errors are shown by whoever calls, or by a toast. */
export function useAction<R extends Route>(
  route: R,
  { refreshes = [], onDone, showsError = false }: ActionOptions<R> = {},
): UseMutationResult<AnswerOf<R>, AppError, Asked<R>> {
  const client = useQueryClient();
  return useMutation<AnswerOf<R>, AppError, Asked<R>>({
    meta: { isShown: showsError },
    mutationFn: (asked) => guarded(() => call(route, asked)),
    onSuccess: async (answer, asked) => {
      await refresh(client, ...refreshes);
      onDone?.(answer, asked);
    },
  });
}

/** Runs `work`; when the server asks for the second factor, asks the person, and runs it once more. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAppError(error, "second_factor_needed") || !(await askForFactor())) throw error;
    return work();
  }
}

export function keyOf(route: Route, { params, query }: Params<Route> = {}): readonly unknown[] {
  return [route.path, route.method, params ?? {}, query ?? {}];
}

/** Asks again for every answer of these routes that is shown. */
export async function refresh(client: QueryClient, ...routes: readonly Route[]): Promise<void> {
  await Promise.all(routes.map(({ path }) => client.invalidateQueries({ queryKey: [path] })));
}
