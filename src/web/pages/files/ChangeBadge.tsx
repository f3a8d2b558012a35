// What became of an entry between two snapshots, in one word and one colour.

import { Badge } from "@mantine/core";
import type { ChangeKind } from "../../../engine/reader/diff.ts";
import { FILES } from "../../strings/files.ts";

const COLOURS: Record<ChangeKind, string> = {
  added: "forest",
  removed: "red",
  modified: "blue",
  metadata: "gray",
  type: "amber",
};

export function ChangeBadge({ change }: { readonly change: ChangeKind }) {
  return (
    <Badge size="sm" variant="light" color={COLOURS[change]} tt="none">
      {FILES.changes[change]}
    </Badge>
  );
}
