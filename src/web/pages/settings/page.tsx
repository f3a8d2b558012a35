// Settings: of oneself, and of the server for those who look after it.

import { PageFrame } from "../../parts/PageFrame.tsx";
import { SETTINGS } from "../../strings/settings.ts";
import { Appearance } from "./Appearance.tsx";

export function Page() {
  return (
    <PageFrame title={SETTINGS.title}>
      <Appearance />
    </PageFrame>
  );
}
