// Entries of a list that the worker holds, as a table that scrolls through a million of them: only the rows in sight exist. One tab stop;
// arrows, Home, End and pages move, Right and Left open and close folders, Space selects, Enter opens.

import { Checkbox, Loader, UnstyledButton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import {
  IconArrowDown,
  IconArrowUp,
  IconChevronRight,
  IconFile,
  IconFileText,
  IconFolder,
  IconLink,
  IconMusic,
  IconPhoto,
  IconPlug,
  IconVideo,
} from "@tabler/icons-react";
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import type { RawPath } from "../../../core/raw-path.ts";
import { ENTRY } from "../../../wire/v4/tree-types.ts";
import type { RowView, SortKey, SortOrder } from "../../engine/reader-api.ts";
import type { ReaderClient } from "../../engine/reader-client.ts";
import { formatBytes, formatTime } from "../../format/numbers.ts";
import { FILES } from "../../strings/files.ts";
import { ChangeBadge } from "./ChangeBadge.tsx";
import classes from "./FileTable.module.css";
import { useRows } from "./use-rows.ts";
import { useVirtual } from "./use-virtual.ts";

export type Picked = ReadonlyMap<RawPath, RowView>;

export type FileTableProps = {
  readonly client: ReaderClient;
  readonly list: number | undefined;
  readonly count: number;
  /** Moves with every change of the list. */
  readonly version: number;
  readonly isLoading: boolean;
  /** A tree has folders that open in place. */
  readonly isTree: boolean;
  readonly hasChanges?: boolean;
  readonly order: SortOrder | undefined;
  readonly picked: Picked;
  readonly emptyText: string;
  readonly foot: ReactNode;
  onSort(order: SortOrder): void;
  onToggle(row: RowView): void;
  onOpen(row: RowView): void;
  onPick(row: RowView): void;
};

const ROW_PX = 38;
const NARROW_ROW_PX = 48;
const INDENT_PX = 20;
const DEEPEST_INDENT = 12;

export function FileTable(props: FileTableProps) {
  const { client, list, count, version, isLoading, isTree, hasChanges = false, picked } = props;
  const isNarrow = useMediaQuery("(max-width: 48em)") ?? false;
  const rowPx = isNarrow ? NARROW_ROW_PX : ROW_PX;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useRows(client, list, version);
  const virtual = useVirtual(scroller, { count, rowPx, onSee: rows.see });
  const [active, setActive] = useState(0);
  const id = useId();
  const at = Math.min(active, Math.max(0, count - 1));

  const moveTo = (row: number): void => {
    const next = Math.max(0, Math.min(count - 1, row));
    setActive(next);
    virtual.scrollTo(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const row = rows.row(at);
    const act = moves(event.key, row);
    if (!act) return;
    event.preventDefault();
    act();
  };
  const moves = (key: string, row: RowView | undefined): (() => void) | undefined => {
    switch (key) {
      case "ArrowDown":
        return () => moveTo(at + 1);
      case "ArrowUp":
        return () => moveTo(at - 1);
      case "PageDown":
        return () => moveTo(at + virtual.pageRows);
      case "PageUp":
        return () => moveTo(at - virtual.pageRows);
      case "Home":
        return () => moveTo(0);
      case "End":
        return () => moveTo(count - 1);
      case "ArrowRight":
        if (row && isTree && row.type === ENTRY.directory && !row.isOpen) return () => props.onToggle(row);
        return () => moveTo(at + 1);
      case "ArrowLeft":
        if (row?.isOpen) return () => props.onToggle(row);
        return () => moveTo(parentOf(at, row?.depth ?? 0, rows.row));
      case "Enter":
        return row && (() => props.onOpen(row));
      case " ":
        return row && (() => props.onPick(row));
      default:
        return undefined;
    }
  };

  const shown: ReactNode[] = [];
  for (let index = virtual.from; index < virtual.to; index++) {
    const row = rows.row(index);
    shown.push(
      <Row
        key={index}
        id={`${id}-${index}`}
        index={index}
        top={virtual.topOf(index)}
        row={row}
        isActive={index === at}
        isPicked={row !== undefined && picked.has(row.path)}
        isTree={isTree}
        hasChanges={hasChanges}
        isNarrow={isNarrow}
        onActive={setActive}
        onToggle={props.onToggle}
        onOpen={props.onOpen}
        onPick={props.onPick}
      />,
    );
  }
  return (
    <div className={classes.frame} {...(hasChanges && { "data-changes": true })}>
      <Head {...props} />
      <div
        ref={scroller}
        className={classes.scroller}
        role="treegrid"
        aria-label={FILES.table}
        aria-rowcount={count}
        aria-busy={isLoading}
        aria-multiselectable
        aria-activedescendant={count > 0 ? `${id}-${at}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        {count === 0 ? (
          <div className={classes.none}>
            {isLoading ? <Loader size="sm" role="img" aria-label={FILES.loading} /> : props.emptyText}
          </div>
        ) : (
          // biome-ignore lint/a11y/useSemanticElements: a table of HTML cannot leave out rows that are out of sight
          <div role="rowgroup" style={{ height: virtual.spacerPx }}>
            {shown}
          </div>
        )}
      </div>
      <div className={classes.foot} role="status">
        {isLoading && <Loader size={14} aria-hidden />}
        {props.foot}
      </div>
    </div>
  );
}

function Head({ order, hasChanges, onSort }: FileTableProps) {
  const column = (by: SortKey, label: string, className = "") => (
    <div className={className}>
      <UnstyledButton
        className={classes.headButton}
        aria-label={FILES.sortBy(label)}
        disabled={order === undefined}
        onClick={() => onSort({ by, descending: order?.by === by ? !order.descending : by !== "name" })}
      >
        {label}
        {order?.by === by &&
          (order.descending ? <IconArrowDown size={14} aria-hidden /> : <IconArrowUp size={14} aria-hidden />)}
      </UnstyledButton>
    </div>
  );
  return (
    <div className={classes.head}>
      <div />
      {column("name", FILES.name)}
      {hasChanges && <div className={classes.cell}>{FILES.change}</div>}
      {column("size", FILES.size, `${classes.end} ${classes.size}`)}
      {column("time", FILES.modified, `${classes.end} ${classes.time}`)}
    </div>
  );
}

type RowProps = {
  readonly id: string;
  readonly index: number;
  readonly top: number;
  readonly row: RowView | undefined;
  readonly isActive: boolean;
  readonly isPicked: boolean;
  readonly isTree: boolean;
  readonly hasChanges: boolean;
  readonly isNarrow: boolean;
  onActive(index: number): void;
} & Pick<FileTableProps, "onToggle" | "onOpen" | "onPick">;

function Row(props: RowProps) {
  const { id, index, top, row, isActive, isPicked, isTree, hasChanges, isNarrow } = props;
  const isFolder = row?.type === ENTRY.directory;
  const style = { transform: `translateY(${top}px)` };
  if (!row) {
    return (
      // biome-ignore lint/a11y/useSemanticElements: see above
      <div id={id} role="row" tabIndex={-1} aria-rowindex={index + 1} className={classes.row} style={style}>
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        <div role="gridcell" tabIndex={-1} aria-label={FILES.loading} />
        <div className={classes.blank} aria-hidden />
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div
      id={id}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 1}
      aria-selected={isPicked}
      {...(isTree && { "aria-level": row.depth + 1, ...(isFolder && { "aria-expanded": row.isOpen }) })}
      className={classes.row}
      style={style}
      {...(isPicked && { "data-selected": true })}
      {...(isActive && { "data-active": true })}
      onMouseDown={() => props.onActive(index)}
      onDoubleClick={() => props.onOpen(row)}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div role="gridcell" tabIndex={-1} className={classes.check}>
        <Checkbox
          size="xs"
          tabIndex={-1}
          checked={isPicked}
          aria-label={FILES.select(row.name)}
          onChange={() => props.onPick(row)}
          onDoubleClick={(event) => event.stopPropagation()}
        />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div
        role="gridcell"
        tabIndex={-1}
        className={classes.name}
        style={{ paddingLeft: Math.min(row.depth, DEEPEST_INDENT) * (isNarrow ? INDENT_PX / 2 : INDENT_PX) }}
      >
        {isTree && isFolder ? (
          <UnstyledButton
            className={classes.chevron ?? ""}
            tabIndex={-1}
            {...(row.isOpen && { "data-open": true })}
            aria-label={row.isOpen ? FILES.collapse(row.name) : FILES.expand(row.name)}
            onClick={() => props.onToggle(row)}
            onDoubleClick={(event) => event.stopPropagation()}
          >
            <IconChevronRight size={16} aria-hidden />
          </UnstyledButton>
        ) : (
          isTree && <span className={classes.noChevron} />
        )}
        <span className={classes.icon} {...(isFolder && { "data-folder": true })}>
          <KindIcon row={row} />
        </span>
        <UnstyledButton
          className={classes.two ?? ""}
          tabIndex={-1}
          title={row.name}
          onClick={() => props.onOpen(row)}
          onDoubleClick={(event) => event.stopPropagation()}
        >
          <span className={classes.text}>{row.name}</span>
          {row.folder !== undefined && <span className={classes.where}>{row.folder}</span>}
          {isNarrow && row.folder === undefined && <span className={classes.where}>{formatTime(row.mtimeMs)}</span>}
        </UnstyledButton>
      </div>
      {hasChanges && (
        // biome-ignore lint/a11y/useSemanticElements: see above
        <div role="gridcell" tabIndex={-1} className={classes.cell}>
          {row.change && <ChangeBadge change={row.change} />}
        </div>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div role="gridcell" tabIndex={-1} className={`${classes.cell} ${classes.end} ${classes.size}`}>
        {isFolder ? <span className={classes.dim}>–</span> : formatBytes(row.size)}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div role="gridcell" tabIndex={-1} className={`${classes.cell} ${classes.end} ${classes.time} ${classes.dim}`}>
        {formatTime(row.mtimeMs)}
      </div>
    </div>
  );
}

function parentOf(index: number, depth: number, row: (index: number) => RowView | undefined): number {
  for (let above = index - 1; above >= 0; above--) {
    const candidate = row(above);
    if (!candidate) return index;
    if (candidate.depth < depth) return above;
  }
  return index;
}

const PICTURES = /\.(?:png|jpe?g|gif|webp|avif|heic|bmp|svg|tiff?|raw|cr2|nef)$/i;
const SOUND = /\.(?:mp3|flac|ogg|opus|m4a|wav|aac)$/i;
const FILMS = /\.(?:mp4|mkv|mov|avi|webm|m4v|mpe?g)$/i;
const TEXTS = /\.(?:txt|md|pdf|docx?|odt|rtf|tex|csv|xlsx?|ods|json|xml|html?|log)$/i;

function KindIcon({ row: { type, name } }: { readonly row: Pick<RowView, "type" | "name"> }) {
  const props = { size: 18, stroke: 1.6, "aria-hidden": true } as const;
  if (type === ENTRY.directory) return <IconFolder {...props} />;
  if (type === ENTRY.symlink) return <IconLink {...props} />;
  if (type !== ENTRY.file) return <IconPlug {...props} />;
  if (PICTURES.test(name)) return <IconPhoto {...props} />;
  if (SOUND.test(name)) return <IconMusic {...props} />;
  if (FILMS.test(name)) return <IconVideo {...props} />;
  return TEXTS.test(name) ? <IconFileText {...props} /> : <IconFile {...props} />;
}
