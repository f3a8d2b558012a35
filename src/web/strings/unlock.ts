// Words around the door of a vault, wherever it stands; those of the door itself are in files.ts.

export const UNLOCK = {
  button: "Unlock",
  close: "Close",
  text: "What you type stays in this tab. Names and contents are shown until you lock the vault, or it locks by itself.",
  other: (name: string) => `The vault “${name}”, which is open in this tab, is locked by this.`,
  enrolling: "Making this browser a device…",
} as const;
