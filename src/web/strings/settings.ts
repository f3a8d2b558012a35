// Words of the settings.

export const SETTINGS = {
  title: "Settings",
  appearance: "Appearance",
  appearanceText: "Kept in this browser.",
  scheme: "Theme",
  light: "Light",
  dark: "Dark",
  auto: "As the system",
  accent: "Colour",
  accents: { lagoon: "Lagoon", indigo: "Indigo", forest: "Forest", plum: "Plum", amber: "Amber" },
} as const;
