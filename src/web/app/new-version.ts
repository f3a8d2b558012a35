// After the server was updated, parts of the page that this tab has not loaded yet are gone there: the tab is loaded anew, once, and goes on where it was. Not
// while the server is away: then the part is still to come, and whoever looks at the page tries again.

const KEY = "cyberbackup-loaded-anew";
/** What is missing after that is missing for another reason. */
const AGAIN_MS = 60_000;

export function loadAnewWhenReplaced(): void {
  // Vite's: a part could not be loaded. The error goes its way, in case nothing is done here.
  addEventListener("vite:preloadError", () => void loadAnew());
}

async function loadAnew(): Promise<void> {
  const last = Number(sessionStorage.getItem(KEY) ?? 0);
  if (Date.now() - last < AGAIN_MS) return;
  const answer = await fetch("/", { cache: "no-store" }).catch(() => undefined);
  if (!answer?.ok) return;
  sessionStorage.setItem(KEY, String(Date.now()));
  location.reload();
}
