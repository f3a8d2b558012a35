// Every table of routes that src/wire/v4/api has, found by its file, so that no walk over all routes can miss a new one.

import { readdirSync } from "node:fs";
import { OPENAPI_ROUTES } from "../../src/server/openapi.ts";
import type { Route } from "../../src/wire/v4/api/route.ts";

const FOLDER = new URL("../../src/wire/v4/api/", import.meta.url);

export type NamedRoute = { readonly name: string; readonly route: Route };

export async function allRoutes(): Promise<NamedRoute[]> {
  const found: NamedRoute[] = [];
  for (const file of readdirSync(FOLDER).filter((name) => /-routes\.ts$/.test(name))) {
    const module = (await import(new URL(file, FOLDER).href)) as Record<string, Record<string, Route>>;
    for (const [key, table] of Object.entries(module).filter(([name]) => name.endsWith("_ROUTES"))) {
      for (const [name, route] of Object.entries(table)) {
        if (typeof route.path !== "string") throw new Error(`${file}: ${key} is no table of routes`);
        found.push({ name, route });
      }
    }
  }
  for (const [name, route] of Object.entries(OPENAPI_ROUTES)) found.push({ name, route });
  return found;
}
