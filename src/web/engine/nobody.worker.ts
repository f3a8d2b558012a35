// Ended before it runs (release.ts).
export {};
