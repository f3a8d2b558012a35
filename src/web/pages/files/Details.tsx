// One entry: what it is, a look at it, and every version of it in all snapshots.

import {
  ActionIcon,
  Alert,
  Badge,
  Button,
  Code,
  Drawer,
  Group,
  Loader,
  SimpleGrid,
  Stack,
  Text,
  Title,
  Tooltip,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconDownload, IconEye } from "@tabler/icons-react";
import { type ReactNode, useEffect, useState } from "react";
import { isAppError } from "../../../core/errors.ts";
import type { SnapshotId } from "../../../core/ids.ts";
import { ENTRY } from "../../../wire/v4/tree-types.ts";
import type { PreviewView, RowView, VersionView } from "../../engine/reader-api.ts";
import type { ReaderClient } from "../../engine/reader-client.ts";
import { formatBytes, formatCount, formatTime, plural } from "../../format/numbers.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { FILES } from "../../strings/files.ts";
import classes from "./Details.module.css";

const WORDS = FILES.info;

export type Subject = { readonly row: RowView; readonly snapshot: SnapshotId };

export function Details({
  client,
  subject,
  onClose,
  onDownload,
  onShow,
}: {
  readonly client: ReaderClient;
  readonly subject: Subject | undefined;
  onClose(): void;
  onDownload(subject: Subject): void;
  /** Looks at the entry in another snapshot. */
  onShow(version: VersionView, row: RowView): void;
}) {
  const isNarrow = useMediaQuery("(max-width: 48em)") ?? false;
  return (
    <Drawer
      opened={subject !== undefined}
      onClose={onClose}
      position="right"
      size={isNarrow ? "100%" : "lg"}
      title={
        <Title order={2} size="h4" style={{ overflowWrap: "anywhere" }}>
          {subject?.row.name}
        </Title>
      }
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {subject && (
        <Content key={`${subject.snapshot} ${subject.row.path}`} {...{ client, subject, onDownload, onShow }} />
      )}
    </Drawer>
  );
}

type ContentProps = Pick<Parameters<typeof Details>[0], "client" | "onDownload" | "onShow"> & {
  readonly subject: Subject;
};

function Content({ client, subject, onDownload, onShow }: ContentProps) {
  const { row } = subject;
  return (
    <Stack gap="lg">
      <SimpleGrid cols={2} spacing="sm" verticalSpacing="xs">
        <Fact label={WORDS.kind} value={FILES.kinds[row.type]} />
        <Fact label={WORDS.size} value={row.type === ENTRY.file ? formatBytes(row.size) : "–"} />
        <Fact label={WORDS.modified} value={formatTime(row.mtimeMs)} />
      </SimpleGrid>
      {row.type === ENTRY.file && (
        <>
          <Group>
            <Button leftSection={<IconDownload size={18} aria-hidden />} onClick={() => onDownload(subject)}>
              {FILES.download}
            </Button>
          </Group>
          <Section title={WORDS.preview}>
            <Preview client={client} subject={subject} />
          </Section>
        </>
      )}
      <Section title={WORDS.versions}>
        <Versions {...{ client, subject, onDownload, onShow }} />
      </Section>
    </Stack>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Stack gap="xs" component="section" aria-label={title}>
      <Title order={3} size="h5">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

function Fact({ label, value }: { readonly label: string; readonly value: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm">{value}</Text>
    </div>
  );
}

function Preview({ client, subject: { row, snapshot } }: { readonly client: ReaderClient; readonly subject: Subject }) {
  const [preview, setPreview] = useState<PreviewView>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const controller = new AbortController();
    client
      .call("preview", { snapshot, path: row.path }, { signal: controller.signal })
      .then(setPreview, (cause: unknown) => !isAppError(cause, "interrupted") && setError(cause));
    return () => controller.abort();
  }, [client, snapshot, row.path]);

  if (error !== undefined) return <ErrorNote error={error} />;
  if (!preview) {
    return (
      <Group gap="xs" role="status">
        <Loader size="xs" aria-hidden />
        <Text size="sm" c="dimmed">
          {WORDS.previewLoading}
        </Text>
      </Group>
    );
  }
  switch (preview.kind) {
    case "text":
      return (
        <Stack gap={6}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it by keys */}
          <pre className={classes.text} tabIndex={0}>
            {preview.text}
          </pre>
          {preview.isCut && (
            <Text size="xs" c="dimmed">
              {WORDS.cut}
            </Text>
          )}
        </Stack>
      );
    case "image":
    case "pdf":
      return <Shown preview={preview} name={row.name} />;
    case "none":
      return <Nothing preview={preview} />;
  }
}

function Nothing({ preview: { reason, head } }: { readonly preview: PreviewView & { readonly kind: "none" } }) {
  if (reason === "empty") return <Text size="sm">{WORDS.empty}</Text>;
  if (reason === "too_large") return <Text size="sm">{WORDS.tooLarge}</Text>;
  return (
    <Stack gap={6}>
      <Text size="sm">{WORDS.binary}</Text>
      <Code block>{hexLines(head)}</Code>
    </Stack>
  );
}

/** A picture or a PDF, from an address that only this tab knows and that ends with it. */
function Shown({
  preview: { kind, bytes, mediaType },
  name,
}: {
  readonly preview: PreviewView & { readonly kind: "image" | "pdf" };
  readonly name: string;
}) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type: mediaType }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, mediaType]);
  if (url === undefined) return null;
  if (kind === "image") return <img className={classes.picture} src={url} alt={name} />;
  return (
    <Stack gap={6}>
      <Alert p="xs" variant="light" color="gray">
        <Text size="xs">{WORDS.pdf}</Text>
      </Alert>
      <iframe className={classes.pdf} src={url} title={name} />
    </Stack>
  );
}

function Versions({ client, subject, onDownload, onShow }: ContentProps) {
  const { row, snapshot } = subject;
  const [versions, setVersions] = useState<readonly VersionView[]>();
  const [progress, setProgress] = useState<{ readonly done: number; readonly total: number }>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const controller = new AbortController();
    client
      .call("versions", { path: row.path }, { signal: controller.signal, onEvent: setProgress })
      .then(setVersions, (cause: unknown) => !isAppError(cause, "interrupted") && setError(cause));
    return () => controller.abort();
  }, [client, row.path]);

  if (error !== undefined) return <ErrorNote error={error} />;
  if (!versions) {
    const { done = 0, total = 0 } = progress ?? {};
    return (
      <Group gap="xs" role="status">
        <Loader size="xs" aria-hidden />
        <Text size="sm" c="dimmed">
          {WORDS.versionsLoading(formatCount(done), formatCount(total))}
        </Text>
      </Group>
    );
  }
  return (
    <Stack gap={6} component="ol" p={0} m={0} style={{ listStyle: "none" }}>
      {versions.map((version) => (
        <li
          key={version.snapshot}
          className={classes.version}
          {...(version.snapshot === snapshot && { "data-current": true })}
        >
          <Stack gap={0} flex={1} miw={0}>
            <Group gap={6}>
              <Text size="sm" fw={600}>
                {formatTime(version.receivedAt)}
              </Text>
              {version.snapshot === snapshot && (
                <Badge size="xs" variant="light" tt="none">
                  {WORDS.current}
                </Badge>
              )}
            </Group>
            <Text size="xs" c="dimmed">
              {version.type === ENTRY.file ? formatBytes(version.size) : FILES.kinds[version.type]} ·{" "}
              {version.deviceName}
              {version.alsoIn > 0 && ` · ${plural(version.alsoIn, WORDS.alsoInOne, WORDS.alsoIn)}`}
            </Text>
          </Stack>
          {version.snapshot !== snapshot && (
            <Tooltip label={WORDS.showVersion}>
              <ActionIcon
                variant="default"
                aria-label={`${WORDS.showVersion}: ${formatTime(version.receivedAt)}`}
                onClick={() => onShow(version, row)}
              >
                <IconEye size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
          {version.type === ENTRY.file && (
            <Tooltip label={WORDS.downloadVersion}>
              <ActionIcon
                variant="default"
                aria-label={`${WORDS.downloadVersion}: ${formatTime(version.receivedAt)}`}
                onClick={() => onDownload({ row, snapshot: version.snapshot })}
              >
                <IconDownload size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
        </li>
      ))}
    </Stack>
  );
}

const LINE_DIGITS = 32;

function hexLines(hex: string): string {
  const lines: string[] = [];
  for (let at = 0; at < hex.length; at += LINE_DIGITS) {
    lines.push(hex.slice(at, at + LINE_DIGITS).replace(/../g, "$& "));
  }
  return lines.join("\n");
}
