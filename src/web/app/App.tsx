// The page as a whole: theme, cache of answers, router.

import { MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useMemo } from "react";
import { makeQueryClient } from "../api/query-client.ts";
import { toastError } from "../parts/toast.tsx";
import { beginAhead } from "./ahead.ts";
import { useAccent } from "./appearance.ts";
import { loadAnewWhenReplaced } from "./new-version.ts";
import { styleNonce } from "./nonce.ts";
import { makeRouter } from "./router.tsx";
import { cssVariables, themeWith } from "./theme.ts";
import { UnsafePage } from "./UnsafePage.tsx";

const client = makeQueryClient(toastError);
const router = makeRouter();
if (isSecureContext) beginAhead(client);
loadAnewWhenReplaced();

export function App() {
  const accent = useAccent();
  const theme = useMemo(() => themeWith(accent), [accent]);
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      cssVariablesResolver={cssVariables}
      getStyleNonce={() => styleNonce}
    >
      <QueryClientProvider client={client}>
        {isSecureContext ? (
          <ModalsProvider>
            <Notifications position="bottom-right" limit={4} />
            <RouterProvider router={router} />
          </ModalsProvider>
        ) : (
          <UnsafePage />
        )}
      </QueryClientProvider>
    </MantineProvider>
  );
}
