// Accounts of the server: who there is, what they may do, links for passwords.

import { ActionIcon, Avatar, Badge, Button, Group, Menu, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots, IconLink, IconLogout, IconPencil, IconPlus, IconShieldOff } from "@tabler/icons-react";
import { useState } from "react";
import type { z } from "zod";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { PlainList } from "../../parts/PlainList.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveItem } from "../../parts/RemoveButton.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { PEOPLE, ROLES, SETTINGS } from "../../strings/settings.ts";
import { EditPerson } from "./EditPerson.tsx";
import { NewPerson, PersonLink } from "./NewPerson.tsx";

export type PersonRow = z.output<typeof PEOPLE_ROUTES.person.answer.schema>;

const MOST = 200;

export function People() {
  const query = useApi(PEOPLE_ROUTES.people, { query: { limit: MOST } });
  const [isAdding, adding] = useDisclosure(false);
  const [edited, setEdited] = useState<PersonRow | undefined>();
  const [link, setLink] = useState<string | undefined>();
  return (
    <Card
      title={SETTINGS.sections.people}
      text={PEOPLE.text}
      actions={
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={adding.open}>
          {PEOPLE.add}
        </Button>
      }
    >
      <QueryStates query={query}>
        {({ items }) => (
          <PlainList>
            {items.map((person) => (
              <Person key={person.id} person={person} onEdit={() => setEdited(person)} onLink={setLink} />
            ))}
          </PlainList>
        )}
      </QueryStates>
      <Dialogue opened={isAdding} onClose={adding.close} title={PEOPLE.add}>
        <NewPerson onDone={adding.close} />
      </Dialogue>
      <Dialogue opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited?.name ?? ""} size="lg">
        {edited !== undefined && <EditPerson person={edited} onDone={() => setEdited(undefined)} />}
      </Dialogue>
      <Dialogue opened={link !== undefined} onClose={() => setLink(undefined)} title={PEOPLE.newLink}>
        {link !== undefined && <PersonLink token={link} onDone={() => setLink(undefined)} />}
      </Dialogue>
    </Card>
  );
}

function Person({
  person,
  onEdit,
  onLink,
}: {
  readonly person: PersonRow;
  readonly onEdit: () => void;
  readonly onLink: (token: string) => void;
}) {
  const { me } = useRights();
  const { id, name, email, role, grants, hasFactor, isActive } = person;
  const params = { id };
  const refreshes = [PEOPLE_ROUTES.people];
  const makeLink = useAction(PEOPLE_ROUTES.personLink, { refreshes, onDone: ({ token }) => onLink(token) });
  const dropFactor = useAction(PEOPLE_ROUTES.dropFactor, { refreshes });
  const signOut = useAction(PEOPLE_ROUTES.dropSignIns, { onDone: () => toastDone(PEOPLE.signedOut) });
  const remove = useAction(PEOPLE_ROUTES.removePerson, { refreshes, onDone: () => toastDone(PEOPLE.removed) });
  const isMe = me?.id === id;
  return (
    <Group component="li" justify="space-between" wrap="nowrap" gap="sm">
      <Group gap="sm" wrap="nowrap" miw={0}>
        <Avatar radius="xl" color="initials" name={name} aria-hidden />
        <div>
          <Group gap={6}>
            <Text fw={500} size="sm">
              {name}
            </Text>
            {isMe && (
              <Badge size="sm" variant="default" tt="none">
                {PEOPLE.you}
              </Badge>
            )}
            <Badge size="sm" variant="light" tt="none" color={role === null ? "gray" : ""}>
              {role === null ? grants.map((grant) => ROLES[grant.role]).join(", ") || ROLES.none : ROLES[role]}
            </Badge>
            {hasFactor && (
              <Badge size="sm" variant="light" color="green" tt="none">
                {PEOPLE.factor}
              </Badge>
            )}
            {!isActive && (
              <Badge size="sm" variant="light" color="orange" tt="none">
                {PEOPLE.pending}
              </Badge>
            )}
          </Group>
          <Text size="xs" c="dimmed">
            {email}
          </Text>
        </div>
      </Group>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size="lg" aria-label={`${SETTINGS.actions}: ${name}`}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={18} aria-hidden />} onClick={onEdit}>
            {PEOPLE.edit}
          </Menu.Item>
          <Menu.Item leftSection={<IconLink size={18} aria-hidden />} onClick={() => makeLink.mutate({ params })}>
            {PEOPLE.newLink}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconLogout size={18} aria-hidden />}
            onClick={() => signOut.mutate({ query: { person: id } })}
          >
            {PEOPLE.signOut}
          </Menu.Item>
          {hasFactor && (
            <RemoveItem
              icon={IconShieldOff}
              isPlain
              title={PEOPLE.dropFactor}
              text={PEOPLE.dropFactorText(name)}
              action={PEOPLE.dropFactor}
              onConfirm={() => dropFactor.mutate({ params })}
            />
          )}
          <Menu.Divider />
          <RemoveItem
            title={PEOPLE.remove}
            text={PEOPLE.removeText(name)}
            action={PEOPLE.remove}
            onConfirm={() => remove.mutate({ params })}
          />
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
