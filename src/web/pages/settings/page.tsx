// Settings: of oneself, and of the server for those who look after it. A section each, loaded with the page.

import { Box, NativeSelect, NavLink, Stack, Text } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { useRights } from "../../api/session.ts";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { SETTINGS } from "../../strings/settings.ts";
import { About } from "./About.tsx";
import { ApiKeys } from "./ApiKeys.tsx";
import { Appearance } from "./Appearance.tsx";
import { Audit } from "./Audit.tsx";
import { Invitations } from "./Invitations.tsx";
import { Legacy } from "./Legacy.tsx";
import { Notifications } from "./Notifications.tsx";
import { People } from "./People.tsx";
import classes from "./page.module.css";
import { Security } from "./Security.tsx";

type Rights = ReturnType<typeof useRights>;
type Section = {
  readonly id: keyof typeof SETTINGS.sections;
  readonly isOwn: boolean;
  readonly View: ComponentType;
  readonly isFor?: (rights: Rights) => boolean;
};

const isOwner = (rights: Rights): boolean => rights.may("owner");

const SECTIONS: readonly Section[] = [
  { id: "security", isOwn: true, View: Security },
  { id: "keys", isOwn: true, View: ApiKeys },
  { id: "notifications", isOwn: true, View: Notifications },
  { id: "appearance", isOwn: true, View: Appearance },
  { id: "people", isOwn: false, View: People, isFor: isOwner },
  { id: "invitations", isOwn: false, View: Invitations, isFor: (rights) => rights.maySomewhere("operator") },
  { id: "legacy", isOwn: false, View: Legacy, isFor: (rights) => rights.may("viewer") },
  { id: "audit", isOwn: false, View: Audit, isFor: isOwner },
  { id: "about", isOwn: false, View: About },
];

export function Page() {
  const { section } = useParams({ strict: false }) as { section?: string };
  const navigate = useNavigate();
  const rights = useRights();
  const shown = SECTIONS.filter(({ isFor }) => isFor === undefined || isFor(rights));
  const current = shown.find(({ id }) => id === section) ?? shown[0]!;
  const groups = [
    { label: SETTINGS.yours, sections: shown.filter(({ isOwn }) => isOwn) },
    { label: SETTINGS.server, sections: shown.filter(({ isOwn }) => !isOwn) },
  ];
  return (
    <PageFrame title={SETTINGS.title}>
      <NativeSelect
        hiddenFrom="sm"
        aria-label={SETTINGS.menu}
        value={current.id}
        onChange={({ currentTarget }) => void navigate({ to: `/settings/${currentTarget.value}` })}
        data={groups.map(({ label, sections }) => ({
          group: label,
          items: sections.map(({ id }) => ({ value: id, label: SETTINGS.sections[id] })),
        }))}
      />
      <Box className={classes.columns}>
        <Box component="nav" aria-label={SETTINGS.menu} visibleFrom="sm">
          {groups.map(({ label, sections }) => (
            <Stack key={label} gap={2} mb="md">
              <Text size="xs" fw={600} c="dimmed" px="sm" pb={2}>
                {label}
              </Text>
              {sections.map(({ id }) => (
                <NavLink
                  key={id}
                  component={Link}
                  to={`/settings/${id}`}
                  label={SETTINGS.sections[id]}
                  active={id === current.id}
                  aria-current={id === current.id ? "page" : undefined}
                  className={classes.link ?? ""}
                />
              ))}
            </Stack>
          ))}
        </Box>
        <Stack gap="lg" miw={0}>
          <current.View />
        </Stack>
      </Box>
    </PageFrame>
  );
}
