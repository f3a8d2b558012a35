// Finds the route of a path, segment by segment. Paths are taken literally: nothing in them is resolved, and a segment that does
// not decode names nothing.

import type { Mounted } from "./call.ts";

export type Found =
  | { readonly kind: "route"; readonly mounted: Mounted; readonly params: Readonly<Record<string, string>> }
  /** The path is there, with these methods. */
  | { readonly kind: "method"; readonly allowed: readonly string[] }
  | { readonly kind: "none" };

export type Router = (method: string, path: string) => Found;

type Node = { readonly literals: Map<string, Node>; parameter: Node | undefined; readonly methods: Map<string, Leaf> };
type Leaf = { readonly mounted: Mounted; readonly names: readonly string[] };

/** Throws a plain Error when two routes are the same: a mistake of a programmer. */
export function router(routes: readonly Mounted[]): Router {
  const root = node();
  for (const mounted of routes) add(root, mounted);
  return (method, path) => find(root, method, path);
}

function add(root: Node, mounted: Mounted): void {
  const names: string[] = [];
  let at = root;
  for (const segment of mounted.route.path.split("/").slice(1)) {
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      const next = at.literals.get(segment) ?? node();
      at.literals.set(segment, next);
      at = next;
    } else {
      names.push(name);
      at.parameter ??= node();
      at = at.parameter;
    }
  }
  if (at.methods.has(mounted.route.method))
    throw new Error(`${mounted.route.method} ${mounted.route.path} is there twice`);
  at.methods.set(mounted.route.method, { mounted, names });
}

function find(root: Node, method: string, path: string): Found {
  const values: string[] = [];
  let at = root;
  for (const segment of path.split("/").slice(1)) {
    const literal = at.literals.get(segment);
    const next = literal ?? at.parameter;
    if (next === undefined) return { kind: "none" };
    if (literal === undefined) {
      const value = decoded(segment);
      if (value === undefined) return { kind: "none" };
      values.push(value);
    }
    at = next;
  }
  const leaf = at.methods.get(method);
  if (leaf !== undefined) {
    const params = Object.fromEntries(leaf.names.map((name, i) => [name, values[i]!]));
    return { kind: "route", mounted: leaf.mounted, params };
  }
  return at.methods.size === 0 ? { kind: "none" } : { kind: "method", allowed: [...at.methods.keys()] };
}

function decoded(segment: string): string | undefined {
  if (segment === "") return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function node(): Node {
  return { literals: new Map(), parameter: undefined, methods: new Map() };
}
