// GET /metrics, for this machine and for whoever has an API key or a session.

import { METRICS_ROUTES } from "../wire/v4/api/job-routes.ts";
import { type Mounted, mount } from "./http/call.ts";
import type { Metrics } from "./metrics.ts";

export function metricsRoutes(metrics: Metrics): Mounted[] {
  return mount(METRICS_ROUTES, { metrics: () => metrics.text() });
}
