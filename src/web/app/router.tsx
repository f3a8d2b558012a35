// Addresses of pages. They stand behind the `#`, which browsers send to nobody: what is looked at, down to the name of a file, is not
// in the server's log, and links with secrets (#/setup/…) stay with whoever has them.

import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { PAGES } from "../pages/registry.ts";
import { BrokenPage, LostPage, PartMissing } from "./FailurePages.tsx";
import { Root } from "./Root.tsx";

/** For a part that does not come the router would load the tab anew at once, also from a server that is away; `BrokenPage` waits for it. */
function part<T>(load: () => Promise<T>): () => Promise<T> {
  return () =>
    load().catch((cause: unknown) => {
      throw new PartMissing(cause);
    });
}

export function makeRouter() {
  const root = createRootRoute({ component: Root, notFoundComponent: LostPage });
  const pages = PAGES.map(({ path, load }) =>
    createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(part(load), "Page") }),
  );
  const setUp = createRoute({
    getParentRoute: () => root,
    path: "/setup/$token",
    component: lazyRouteComponent(
      part(() => import("./SetUpPage.tsx")),
      "SetUpPage",
    ),
  });
  const trust = createRoute({
    getParentRoute: () => root,
    path: "/trust",
    component: lazyRouteComponent(
      part(() => import("./TrustPage.tsx")),
      "TrustPage",
    ),
  });
  // Until there is an overview the first page of the navigation is where one arrives.
  const start = PAGES.some(({ path }) => path === "/")
    ? []
    : [
        createRoute({
          getParentRoute: () => root,
          path: "/",
          beforeLoad: () => {
            throw redirect({ to: PAGES.find(({ nav }) => nav !== undefined)!.path });
          },
        }),
      ];
  return createRouter({
    routeTree: root.addChildren([...start, ...pages, setUp, trust]),
    history: createHashHistory(),
    defaultPreload: "intent",
    defaultErrorComponent: BrokenPage,
    scrollRestoration: true,
  });
}
