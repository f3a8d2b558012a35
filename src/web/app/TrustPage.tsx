// What the browser's warning means and how to be rid of it, with this server's fingerprint to compare. Open to everybody.

import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { PAGE_ROUTES } from "../../wire/v4/api/page-routes.ts";
import { useApi } from "../api/use-api.ts";
import { QueryStates } from "../parts/QueryStates.tsx";
import { TrustNote } from "../parts/TrustNote.tsx";
import { SET_UP, TRUST } from "../strings/sign-in.ts";
import { GateLayout } from "./GateLayout.tsx";

export function TrustPage() {
  const reach = useApi(PAGE_ROUTES.reach);
  return (
    <GateLayout
      title={TRUST.title}
      isWide
      footer={
        <Anchor component={Link} to="/">
          {SET_UP.toSignIn}
        </Anchor>
      }
    >
      <QueryStates query={reach}>{(found) => <TrustNote reach={found} />}</QueryStates>
    </GateLayout>
  );
}
