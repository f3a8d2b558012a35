// What is to be backed up: by dropping it, or by asking the browser for it; and the list of it with its sizes.

import { ActionIcon, Badge, Button, Group, Stack, Table, Text, Tooltip } from "@mantine/core";
import { IconCloudUpload, IconFile, IconFilePlus, IconFolder, IconFolderPlus, IconX } from "@tabler/icons-react";
import { type ChangeEvent, type DragEvent, useRef, useState } from "react";
import { chosenOfInput } from "../../backup/chosen.ts";
import { backups, type Item, totalsOf } from "../../backup/controller.ts";
import { chosenOfDrop } from "../../backup/dropped.ts";
import { formatBytes, formatCount, plural } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { toastError } from "../../parts/toast.tsx";
import { BACKUP } from "../../strings/backup.ts";
import classes from "./backup.module.css";

const WORDS = BACKUP.choose;

export function ChoosePart({ items, isLocked }: { readonly items: readonly Item[]; readonly isLocked: boolean }) {
  return (
    <Card title={WORDS.title}>
      <DropZone isLocked={isLocked} />
      {items.length > 0 && <ChosenList items={items} isLocked={isLocked} />}
    </Card>
  );
}

function DropZone({ isLocked }: { readonly isLocked: boolean }) {
  const [isOver, setOver] = useState(false);
  const folderInput = useRef<HTMLInputElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const take = (event: ChangeEvent<HTMLInputElement>): void => {
    const chosen = chosenOfInput(event.currentTarget.files ?? []);
    event.currentTarget.value = "";
    backups.add(chosen).catch(toastError);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    if (!isLocked)
      chosenOfDrop(event.dataTransfer)
        .then((chosen) => backups.add(chosen))
        .catch(toastError);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is for pointers; the buttons inside do the same for everybody
    <div
      className={classes.drop}
      data-over={isOver || undefined}
      data-locked={isLocked || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(!isLocked);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <IconCloudUpload size={44} stroke={1.3} aria-hidden className={classes.dropIcon ?? ""} />
      <Text fw={600} ta="center">
        {isOver ? WORDS.dropNow : WORDS.drop}
      </Text>
      <Text size="sm" c="dimmed">
        {WORDS.or}
      </Text>
      <Group gap="sm" justify="center">
        <Button
          leftSection={<IconFolderPlus size={18} aria-hidden />}
          disabled={isLocked}
          onClick={() => pickFolder(folderInput.current)}
        >
          {WORDS.folder}
        </Button>
        <Button
          variant="default"
          leftSection={<IconFilePlus size={18} aria-hidden />}
          disabled={isLocked}
          onClick={() => fileInput.current?.click()}
        >
          {WORDS.files}
        </Button>
      </Group>
      <input
        ref={folderInput}
        type="file"
        hidden
        multiple
        onChange={take}
        aria-label={WORDS.folder}
        {...{ webkitdirectory: "" }}
      />
      <input ref={fileInput} type="file" hidden multiple onChange={take} aria-label={WORDS.files} />
    </div>
  );
}

/** File System Access, where there is one: such a folder can be asked for again after a reload. */
type Picker = { showDirectoryPicker?(wish: { id: string; mode: "read" }): Promise<FileSystemDirectoryHandle> };

function pickFolder(input: HTMLInputElement | null): void {
  const { showDirectoryPicker } = window as Picker;
  if (!showDirectoryPicker) {
    input?.click();
    return;
  }
  showDirectoryPicker.call(window, { id: "backup", mode: "read" }).then(
    (handle) => backups.add([{ name: handle.name, handle }]),
    (error: unknown) => {
      // Whoever closes the dialogue has said what they want.
      if ((error as Error).name !== "AbortError") toastError(error);
    },
  );
}

function ChosenList({ items, isLocked }: { readonly items: readonly Item[]; readonly isLocked: boolean }) {
  const total = totalsOf(items);
  return (
    <Stack gap="xs">
      <Table.ScrollContainer minWidth={320} type="native">
        <Table verticalSpacing={6} aria-label={WORDS.chosen}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{WORDS.name}</Table.Th>
              <Table.Th ta="right">{WORDS.count}</Table.Th>
              <Table.Th ta="right">{WORDS.size}</Table.Th>
              <Table.Th w={44} aria-label={WORDS.remove("")} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((item) => (
              <Row key={item.id} item={item} isLocked={isLocked} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Group justify="space-between">
        <Text size="sm" fw={600} role="status">
          {WORDS.total(plural(total.files, ...WORDS.files_), formatBytes(total.bytes))}
        </Text>
        {items.length > 1 && (
          <Button variant="subtle" size="compact-sm" disabled={isLocked} onClick={() => backups.clear()}>
            {WORDS.clear}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Row({ item, isLocked }: { readonly item: Item; readonly isLocked: boolean }) {
  const { id, name, kind, canKeep, measured, state } = item;
  const Icon = kind === "folder" ? IconFolder : IconFile;
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <Icon size={20} stroke={1.6} aria-hidden className={classes.kind ?? ""} />
          <Group gap={6} miw={0}>
            <Text size="sm" className={classes.name ?? ""}>
              {name}
            </Text>
            {!canKeep && (
              <Tooltip label={WORDS.onceHelp} multiline w={260} events={{ hover: true, focus: true, touch: true }}>
                <Badge variant="default" size="sm" tabIndex={0} className={classes.once ?? ""}>
                  {WORDS.once}
                </Badge>
              </Tooltip>
            )}
          </Group>
        </Group>
      </Table.Td>
      <Table.Td ta="right">{state === "failed" ? "–" : formatCount(measured.files)}</Table.Td>
      <Table.Td ta="right" className={classes.nowrap ?? ""}>
        {state === "failed" ? WORDS.failed : formatBytes(measured.bytes)}
        {state === "counting" && (
          <Text size="xs" c="dimmed">
            {WORDS.counting}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={WORDS.remove(name)}
          disabled={isLocked}
          onClick={() => backups.remove(id)}
        >
          <IconX size={18} aria-hidden />
        </ActionIcon>
      </Table.Td>
    </Table.Tr>
  );
}
