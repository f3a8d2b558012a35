// A page in an unsafe context says so and where to go, instead of failing half-way: without a secure context browsers have no
// WebCrypto and no folder access (W3C Secure Contexts).

import { Anchor, List, Stack, Text } from "@mantine/core";
import { PAGE_ROUTES } from "../../wire/v4/api/page-routes.ts";
import { useApi } from "../api/use-api.ts";
import { TrustNote } from "../parts/TrustNote.tsx";
import { UNSAFE } from "../strings/sign-in.ts";
import { GateLayout } from "./GateLayout.tsx";

export function UnsafePage() {
  const { data: reach } = useApi(PAGE_ROUTES.reach);
  const safe = [
    ...(reach?.publicUrl?.startsWith("https:") ? [reach.publicUrl] : []),
    ...(reach?.httpsPort == null ? [] : [`https://${location.hostname}:${reach.httpsPort}`]),
  ];
  const local = reach?.httpPort == null ? undefined : `http://localhost:${reach.httpPort}`;
  return (
    <GateLayout title={UNSAFE.title} lead={UNSAFE.lead} isWide>
      <Stack>
        {safe.length > 0 && (
          <div>
            <Text fw={600}>{UNSAFE.where}</Text>
            <Links addresses={safe} />
          </div>
        )}
        {local !== undefined && (
          <div>
            <Text fw={600}>{UNSAFE.here}</Text>
            <Links addresses={[local]} />
          </div>
        )}
        {reach !== undefined && <TrustNote reach={reach} />}
      </Stack>
    </GateLayout>
  );
}

function Links({ addresses }: { readonly addresses: readonly string[] }) {
  return (
    <List>
      {addresses.map((address) => (
        <List.Item key={address}>
          <Anchor href={`${address}/${location.hash}`}>{address}</Anchor>
        </List.Item>
      ))}
    </List>
  );
}
