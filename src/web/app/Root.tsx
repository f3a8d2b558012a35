// Decides what stands around a page: nothing (links that need no account), the sign-in, or the shell. The address stays as it is, so
// that whoever signs in again goes on where they were.

import { Center, Loader } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { CHANGES } from "../api/invalidation.ts";
import { startLine } from "../api/live.ts";
import { forgetEverything, lookAgain, useMe } from "../api/session.ts";
import { refresh } from "../api/use-api.ts";
import { SHELL } from "../strings/shell.ts";
import { Away } from "./Away.tsx";
import { FactorDialogue } from "./FactorDialogue.tsx";
import { Shell } from "./Shell.tsx";
import { SignInPage } from "./SignInPage.tsx";

const OPEN = /^\/(?:setup\/|trust$)/;

export function Root() {
  const { pathname } = useLocation();
  if (OPEN.test(pathname)) return <Outlet />;
  return (
    <>
      <FactorDialogue />
      <SignedIn />
    </>
  );
}

function SignedIn() {
  const client = useQueryClient();
  const { data: me, isError, error, refetch } = useMe();
  const was = useRef<string | undefined>(undefined);
  const who = me === undefined || me === null ? me : (me.id ?? me.name);
  useEffect(() => {
    if (typeof who === "string") {
      if (was.current !== undefined && was.current !== who) forgetEverything(client);
      was.current = who;
    } else if (who === null && was.current !== undefined) forgetEverything(client);
  }, [who, client]);
  const isIn = typeof who === "string";
  useEffect(() => {
    if (!isIn) return;
    return startLine({
      onEvent: ({ event }) => void refresh(client, ...(CHANGES[event] ?? [])),
      onMissed: () => void client.invalidateQueries(),
      onSignedOut: () => void lookAgain(client),
    });
  }, [isIn, client]);

  if (me === undefined && isError) return <Away error={error} onRetry={() => void refetch()} />;
  if (me === undefined) {
    return (
      <Center mih="100vh">
        <Loader role="img" aria-label={SHELL.loading} />
      </Center>
    );
  }
  if (me === null) return <SignInPage hasEnded={was.current !== undefined} />;
  return (
    <Shell me={me}>
      <Outlet />
    </Shell>
  );
}
