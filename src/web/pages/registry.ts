// All pages, in the order of the navigation. A page is a folder in src/web/pages with a `page.tsx` that exports `Page`; one line here
// gives it its address and, with an icon, its place in the navigation. Each is loaded when it is opened.

import {
  IconCloudUpload,
  IconDatabase,
  IconDeviceLaptop,
  IconFolder,
  IconHistory,
  IconLayoutDashboard,
  IconSettings,
} from "@tabler/icons-react";
import type { QueryClient } from "@tanstack/react-query";
import type { ComponentType } from "react";
import type { useRights } from "../api/session.ts";
import type { NAV } from "../strings/shell.ts";

export type PageEntry = {
  /** Parameters begin with `$`: `/devices/$vault/$device`. */
  readonly path: string;
  readonly load: () => Promise<{
    readonly Page: ComponentType;
    /** Asks for what the page shows first, where it is the first page that somebody sees (app/ahead.ts). */
    readonly ask?: (client: QueryClient) => void;
  }>;
  /** Its entry in the navigation; without one it is reached from another page. */
  readonly nav?: { readonly label: keyof typeof NAV; readonly icon: ComponentType<NavIcon>; readonly keys: string };
  /** For whom it is shown; for everybody by default. */
  readonly isFor?: (rights: ReturnType<typeof useRights>) => boolean;
};
type NavIcon = { size?: number; stroke?: number; "aria-hidden"?: boolean };

export const PAGES: readonly PageEntry[] = [
  {
    path: "/",
    load: () => import("./overview/page.tsx"),
    nav: { label: "overview", icon: IconLayoutDashboard, keys: "g o" },
  },
  {
    path: "/devices",
    load: () => import("./devices/page.tsx"),
    nav: { label: "devices", icon: IconDeviceLaptop, keys: "g d" },
  },
  { path: "/devices/$vault/$device", load: () => import("./devices/device.tsx") },
  { path: "/devices/$vault/$device/plans/$plan", load: () => import("./devices/plan.tsx") },
  {
    path: "/files",
    load: () => import("./files/page.tsx"),
    nav: { label: "files", icon: IconFolder, keys: "g f" },
  },
  { path: "/files/$vault", load: () => import("./files/page.tsx") },
  {
    path: "/backup",
    load: () => import("./backup/page.tsx"),
    nav: { label: "backup", icon: IconCloudUpload, keys: "g b" },
  },
  {
    path: "/runs",
    load: () => import("./runs/page.tsx"),
    nav: { label: "runs", icon: IconHistory, keys: "g r" },
  },
  { path: "/runs/log", load: () => import("./runs/log.tsx") },
  { path: "/runs/$vault/$run", load: () => import("./runs/run.tsx") },
  {
    path: "/vaults",
    load: () => import("./vaults/page.tsx"),
    nav: { label: "vaults", icon: IconDatabase, keys: "g v" },
  },
  { path: "/vaults/$id", load: () => import("./vaults/detail.tsx") },
  { path: "/vaults/$id/$section", load: () => import("./vaults/detail.tsx") },
  { path: "/welcome", load: () => import("./welcome/page.tsx"), isFor: ({ may }) => may("owner") },
  {
    path: "/settings",
    load: () => import("./settings/page.tsx"),
    nav: { label: "settings", icon: IconSettings, keys: "g s" },
  },
  { path: "/settings/$section", load: () => import("./settings/page.tsx") },
];
