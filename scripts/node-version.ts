// Ends a script that runs under a Node too old for the product, and says what to do about it.
const OLDEST = [24, 12] as const;

export function requireNode(version = process.versions.node): void {
  if (isRecentEnough(version)) return;
  console.error(`This needs Node ${OLDEST.join(".")} or later and runs under ${version}.`);
  console.error(
    "Start it through npm (npm test, npm run check, npm run bench): npm uses the Node that `npm ci` installed.",
  );
  process.exit(1);
}

export function isRecentEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
