// OpenAPI 3.1 for every route that is mounted, made of the same rows that the server checks requests by: it cannot say anything
// else than what happens. Bodies in MessagePack are described as the JSON of the same shape; `format: binary` is bin.

import { createHash } from "node:crypto";
import { z } from "zod";
import { MEDIA } from "../wire/v4/api/media.ts";
import { PARAMETERS } from "../wire/v4/api/parameters.ts";
import type { Caller, Route } from "../wire/v4/api/route.ts";
import { routes } from "../wire/v4/api/route.ts";
import { type Mounted, mount } from "./http/call.ts";
import { answerMedia } from "./http/negotiation.ts";
import { AUTH_PATH } from "./people/auth.ts";

type Json = { [key: string]: unknown };
type JsonSchema = Json;

export const OPENAPI_ROUTES = routes({
  openApi: {
    method: "GET",
    path: "/api/openapi.json",
    who: ["anyone"],
    summary: "This document.",
    answer: { kind: "json", schema: z.looseObject({ openapi: z.string() }) },
  },
});

/** The routes that were given, and the one that describes them all. */
export function withOpenApi(mounted: readonly Mounted[], version: string): Mounted[] {
  let made: { document: Json & { openapi: string }; tag: string } | undefined;
  const make = () => {
    const document = openApi(all, version);
    return { document, tag: `"${createHash("sha256").update(JSON.stringify(document)).digest("base64url")}"` };
  };
  const own = mount(OPENAPI_ROUTES, {
    openApi({ request, reply }) {
      made ??= make();
      reply.header("ETag", made.tag);
      reply.header("Cache-Control", "no-cache");
      if (request.headers["if-none-match"] === made.tag) reply.status = 304;
      return made.document;
    },
  });
  const all = [...mounted, ...own];
  return all;
}

export function openApi(mounted: readonly Mounted[], version: string): Json & { openapi: string } {
  const paths: Record<string, Json> = {};
  for (const { name, route } of mounted) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operation(name, route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "CyberBackup server",
      version,
      summary: "Vaults that the server cannot read: for devices that back up, and for people who look after them.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: { Problem: PROBLEM }, responses: { Problem: PROBLEM_ANSWER }, securitySchemes: SECURITY },
  };
}

const TAGS = {
  device: "What devices use to back up and restore.",
  people: "What people and their programs use to look after vaults.",
  "sign-in": "How pages sign in.",
  open: "Open to all.",
};

const SECURITY: Json = {
  device: { type: "http", scheme: "bearer", description: "The token of a device's login, good for 15 minutes." },
  key: { type: "http", scheme: "bearer", bearerFormat: "cb_…", description: "A person's API key." },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "__Secure-cyberbackup.session_token",
    description: "A sign-in with the page.",
  },
};

const PROBLEM: JsonSchema = {
  type: "object",
  description: "RFC 9457. `code` is one of docs/errors.md.",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string" },
    hint: { type: "string" },
    retry: { type: "boolean" },
    context: { type: "object" },
    requestId: { type: "string" },
  },
};

const PROBLEM_ANSWER: Json = {
  description: "What went wrong.",
  content: { [MEDIA.problem]: { schema: { $ref: "#/components/schemas/Problem" } } },
};

function operation(name: string, route: Route): Json {
  return {
    operationId: name,
    summary: route.summary,
    tags: [tagOf(route)],
    security: securityOf(route.who),
    "x-who": route.who,
    ...(route.isGuarded ? { "x-fresh-second-factor": true } : {}),
    parameters: [...pathParameters(route.path), ...queryParameters(route)],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body) }),
    responses: { ...answer(route), default: { $ref: "#/components/responses/Problem" } },
  };
}

function tagOf({ who, path }: Route): keyof typeof TAGS {
  if (path.startsWith(AUTH_PATH)) return "sign-in";
  if (who.includes("device") || path.startsWith("/api/v4/login") || path.endsWith("/enroll")) return "device";
  return who.includes("anyone") ? "open" : "people";
}

function securityOf(who: readonly Caller[]): Json[] {
  if (who.includes("anyone")) return [];
  const isForPeople = who.some((caller) => caller !== "device");
  return [...(who.includes("device") ? [{ device: [] }] : []), ...(isForPeople ? [{ key: [] }, { session: [] }] : [])];
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: schemaOf(PARAMETERS[name as keyof typeof PARAMETERS]),
  }));
}

function queryParameters({ query }: Route): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(query) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

function requestBody(body: NonNullable<Route["body"]>): Json {
  const schema = "schema" in body ? schemaOf(body.schema) : { type: "string", format: "binary" };
  return {
    required: true,
    description: `At most ${body.maxBytes} bytes.`,
    content: { [MEDIA[body.kind]]: { schema } },
  };
}

function answer({ answer: kind }: Route): Json {
  const media = answerMedia(kind);
  if (media === undefined) return { 204: { description: "Done." } };
  const schema = "schema" in kind ? schemaOf(kind.schema) : { type: "string", format: "binary" };
  return { "2XX": { description: "The answer.", content: { [media]: { schema } } } };
}

/** As it travels: the side of a codec that is on the wire is its input, for questions and for answers. */
function schemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return rest;
}
