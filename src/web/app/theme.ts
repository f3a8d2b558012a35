// How the page looks: its own accent colours, a dark theme of blue-grey rather than black, and grey text that everybody can read
// (WCAG 2.2, 1.4.3: 4.5 to 1, in both themes).

import { type CSSVariablesResolver, createTheme, type MantineColorsTuple, type MantineTheme } from "@mantine/core";

export const ACCENTS = ["lagoon", "indigo", "forest", "plum", "amber"] as const;
export type Accent = (typeof ACCENTS)[number];

const lagoon: MantineColorsTuple = [
  "#e4f7f9",
  "#cbedf1",
  "#9bdce4",
  "#68c9d5",
  "#40b7c6",
  "#26a5b5",
  "#12899a",
  "#0a7484",
  "#075f6d",
  "#044a56",
];
const indigo: MantineColorsTuple = [
  "#eceffc",
  "#d8ddf8",
  "#b1bbf0",
  "#8998e8",
  "#6b7de0",
  "#5769d8",
  "#4a5ccb",
  "#4051b4",
  "#344395",
  "#283577",
];
const forest: MantineColorsTuple = [
  "#e8f6ee",
  "#d2ecde",
  "#a5d9bd",
  "#77c69b",
  "#53b580",
  "#38a16a",
  "#288756",
  "#1f7147",
  "#195d3b",
  "#13492e",
];
const plum: MantineColorsTuple = [
  "#f7ecf8",
  "#eedbf0",
  "#dcb6e0",
  "#c98fcf",
  "#b970c1",
  "#a958b2",
  "#95479e",
  "#7f3c87",
  "#69316f",
  "#532758",
];
const amber: MantineColorsTuple = [
  "#fdf3e1",
  "#fae6c3",
  "#f4cd86",
  "#eeb348",
  "#e39d1f",
  "#c98612",
  "#a66d0b",
  "#8a5a08",
  "#714a07",
  "#593a05",
];
const dark: MantineColorsTuple = [
  "#d7e0e5",
  "#b9c6cd",
  "#94a6af",
  "#6d808a",
  "#40525c",
  "#2f3f48",
  "#223038",
  "#162127",
  "#101a1f",
  "#0b1317",
];

export function themeWith(accent: Accent) {
  return createTheme({
    primaryColor: accent,
    primaryShade: { light: 7, dark: 7 },
    autoContrast: true,
    colors: { lagoon, indigo, forest, plum, amber, dark },
    defaultRadius: "md",
    cursorType: "pointer",
    respectReducedMotion: true,
    fontFamily:
      'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
    fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", Menlo, Consolas, monospace',
    headings: { fontWeight: "650" },
    components: { Badge: { defaultProps: { radius: "sm" }, styles: { root: { textTransform: "none" } } } },
  });
}

/** Mantine's own light variants vanish on a dark ground. */
function softColours(theme: MantineTheme): Record<string, string> {
  const names = [...ACCENTS, "green", "red", "orange", "teal", "gray", "blue", "yellow", "cyan", "grape"];
  return Object.fromEntries(
    names.flatMap((name) => [
      [`--mantine-color-${name}-light`, `color-mix(in srgb, ${theme.colors[name]![5]} 20%, transparent)`],
      [`--mantine-color-${name}-light-hover`, `color-mix(in srgb, ${theme.colors[name]![5]} 28%, transparent)`],
      [`--mantine-color-${name}-light-color`, theme.colors[name]![2]],
    ]),
  );
}

export const cssVariables: CSSVariablesResolver = (theme) => ({
  variables: {},
  light: {
    // Text on its own pale colour: Mantine's is too pale to read.
    "--mantine-color-green-light-color": "#1d6b31",
    "--mantine-color-teal-light-color": "#08634a",
    "--mantine-color-red-light-color": "#a31f1f",
    "--mantine-color-orange-light-color": "#9c3a06",
    "--mantine-color-yellow-light-color": "#7a4d00",
    "--mantine-color-blue-light-color": "#155a99",
    "--mantine-color-gray-light-color": "#495057",
    "--mantine-color-red-text": "#c22f2f",
    "--mantine-color-body": "#f6f9fa",
    "--mantine-color-dimmed": "#566770",
    "--mantine-color-placeholder": "#66767f",
    "--mantine-color-text": "#142026",
    "--mantine-color-default-border": "#d3dde2",
    "--cb-surface": "#ffffff",
    "--cb-surface-sunk": "#eef3f5",
    "--cb-border": "#dde6ea",
    "--cb-good": "#1f7147",
    "--cb-warn": "#8a5a08",
    "--cb-bad": "#c22f2f",
    "--mantine-color-error": "#c22f2f",
  },
  dark: {
    ...softColours(theme),
    "--mantine-color-body": "#0f171b",
    "--mantine-color-dimmed": "#9aabb4",
    "--mantine-color-placeholder": "#8496a0",
    "--mantine-color-text": "#dde6ea",
    "--mantine-color-default": "#1a262d",
    "--mantine-color-default-border": "#32434c",
    "--cb-surface": "#162127",
    "--cb-surface-sunk": "#111b20",
    "--cb-border": "#25343c",
    "--cb-good": "#5cc58c",
    "--cb-warn": "#e9b24c",
    "--cb-bad": "#ff8a80",
    "--mantine-color-error": "#ff8a80",
  },
});
