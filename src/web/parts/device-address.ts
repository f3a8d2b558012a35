// Under which address devices reach a vault: over HTTPS, wherever this page came from.

import type { Reach } from "./TrustNote.tsx";

export function deviceAddress(reach: Reach | undefined, vaultName: string): string {
  return `${serverAddress(reach)}/${encodeURIComponent(vaultName)}`;
}

function serverAddress(reach: Reach | undefined): string {
  if (reach?.publicUrl) return reach.publicUrl;
  if (location.protocol === "https:" || reach?.httpsPort == null) return location.origin;
  return `https://${location.hostname}:${reach.httpsPort}`;
}
