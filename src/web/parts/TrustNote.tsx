// The paragraph about the browser's warning, the fingerprint, and the authority for download.

import { Button, List, Stack, Text, Title } from "@mantine/core";
import { IconCertificate } from "@tabler/icons-react";
import type { z } from "zod";
import type { PAGE_ROUTES } from "../../wire/v4/api/page-routes.ts";
import { TRUST } from "../strings/sign-in.ts";
import { CopyLine } from "./CopyLine.tsx";

export type Reach = z.output<typeof PAGE_ROUTES.reach.answer.schema>;

export function TrustNote({ reach }: { readonly reach: Reach }) {
  const { fingerprint, hasAuthority } = reach;
  return (
    <Stack gap="md">
      <Text size="sm">{hasAuthority ? TRUST.lead : TRUST.given}</Text>
      {fingerprint !== null && (
        <div>
          <Text fw={600} size="sm" mb={4}>
            {TRUST.fingerprint}
          </Text>
          <CopyLine value={spaced(fingerprint)} label={TRUST.fingerprint} />
          <Text size="xs" c="dimmed" mt={4}>
            {TRUST.compare}
          </Text>
        </div>
      )}
      {hasAuthority && (
        <div>
          <Title order={3} size="h5" mb="xs">
            {TRUST.ways}
          </Title>
          <List spacing="sm" size="sm" type="ordered">
            <List.Item>
              <b>{TRUST.download}.</b> {TRUST.downloadText}
              <Button
                component="a"
                href="/ca.crt"
                download
                size="xs"
                variant="light"
                mt={6}
                display="table"
                leftSection={<IconCertificate size={16} aria-hidden />}
              >
                {TRUST.downloadButton}
              </Button>
            </List.Item>
            <List.Item>
              <b>{TRUST.own}.</b> {TRUST.ownText}
            </List.Item>
            <List.Item>
              <b>{TRUST.proxy}.</b> {TRUST.proxyText}
            </List.Item>
          </List>
        </div>
      )}
    </Stack>
  );
}

/** In groups of four, which people compare more easily. */
function spaced(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, "$1 ");
}
