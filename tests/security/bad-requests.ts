// A hundred and more requests for each route that are wrong in one way each, made from the route's own row: so a new route is
// attacked as soon as it exists. Each of them must be refused, whoever sends it.

import { encode as encodeMsgpack } from "@msgpack/msgpack";
import { z } from "zod";
import { MEDIA } from "../../src/wire/v4/api/media.ts";
import type { Route } from "../../src/wire/v4/api/route.ts";

export type BadRequest = {
  /** What is wrong with it. */
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: Uint8Array | undefined;
  /** Sent in pieces without a Content-Length. */
  readonly isChunked?: boolean;
};

/** Values for the parameters of paths that are right in their shape. */
export type PathValues = Readonly<Record<string, string>>;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function badRequests(route: Route, values: PathValues): BadRequest[] {
  const good = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? "0"));
  const media = route.body === undefined ? undefined : MEDIA[route.body.kind];
  const headers: Record<string, string> = media === undefined ? {} : { "content-type": media };
  const plain = { method: route.method, path: good, headers };
  return [
    ...paths(route, values).map(({ what, path }) => ({ ...plain, what, path, body: filler(route) })),
    ...methods(route).map((method) => ({ ...plain, what: `method ${method}`, method, body: undefined })),
    ...mediaTypes(route).map((more) => ({
      ...plain,
      what: `types ${JSON.stringify(more)}`,
      headers: { ...headers, ...more },
      body: filler(route),
    })),
    ...queries(route).map((query) => ({
      ...plain,
      what: `query ${query.slice(0, 40)}`,
      path: `${good}?${query}`,
      body: filler(route),
    })),
    ...bodies(route).map(({ what, body, isChunked = false }) => ({ ...plain, what, body, isChunked })),
  ];
}

/** Enough of a body for what is checked before bodies; wrong itself. */
function filler(route: Route): Uint8Array | undefined {
  return route.body === undefined ? undefined : utf8("!");
}

const TAILS = [
  "/",
  "//",
  "/.",
  "/..",
  "/%2e",
  "/%2e%2e",
  "/%2e%2e/",
  "/..%2f",
  "%2f",
  "%2F%2e%2e",
  "%00",
  "%00.json",
  "%0a",
  "%0d%0aX:%20y",
  "%ff",
  "%",
  "%zz",
  "%c0%ae",
  "%e0%80%af",
  ";x=1",
  ";",
  "\\",
  "%5c",
  "/x",
  "/x/y",
  "/%20",
  "/null",
  "/undefined",
  "/__proto__",
  "/constructor",
  "/toString",
  "/-1",
  "/0",
  "/1e9",
  "/%25",
  "/%252e%252e",
  "/.git/config",
  "/etc/passwd",
  "/../../../../etc/passwd",
  "/server.db",
  "/%2e%2e%2f%2e%2e%2fserver.db",
  "/auth-secret",
  "/a".repeat(200),
  `/${"a".repeat(4000)}`,
  "/%F0%9F%92%A3",
  "/*",
  "/'",
  "/%22",
  "/<script>",
  "/$%7bx%7d",
  "/|id",
  "/`id`",
  "/,",
  "/:",
  "/@",
  "/~",
  "/!",
  "/(",
  "/+",
  "/=",
  "/&",
  ".json",
  ".php",
  ".bak",
  "~",
  "*",
  "'",
  '"',
];

const NAMES = [
  "..",
  "%2e%2e",
  "%2e%2e%2f%2e%2e",
  "..%2f..%2fserver.db",
  "%00",
  "a%00b",
  "%0a",
  "-",
  "0x10",
  "1e3",
  "-1",
  "%20",
  "%ff",
  "NaN",
  "null",
  "__proto__",
  "constructor",
  "*",
  "%25",
  "'%20OR%201=1--",
  "%22",
  "<b>",
  "A".repeat(300),
  "f".repeat(4000),
  "00",
  "0".repeat(31),
  "g".repeat(32),
  "%F0%9F%92%A3",
  "F".repeat(32),
  "%7b%7d",
  "[]",
  "$ne",
  ";",
  "%5c..%5c..",
  ".hidden",
  "con",
  "aux",
];

function paths(route: Route, values: PathValues): { what: string; path: string }[] {
  const fill = (more: PathValues = {}): string =>
    route.path.replace(/\{(\w+)\}/g, (_, name: string) => more[name] ?? encodeURIComponent(values[name] ?? "0"));
  const found: { what: string; path: string }[] = [];
  for (const [, name] of route.path.matchAll(/\{(\w+)\}/g)) {
    for (const value of NAMES) found.push({ what: `${name} = ${value.slice(0, 20)}`, path: fill({ [name!]: value }) });
  }
  const endsInParameter = route.path.endsWith("}");
  for (const tail of TAILS) {
    // Behind a parameter, some of these only make another value of it.
    const isPartOfName = !tail.startsWith("/") && endsInParameter;
    if (!isPartOfName) found.push({ what: `tail ${tail.slice(0, 20)}`, path: fill() + tail });
  }
  const [, ...segments] = fill().split("/");
  for (let at = 0; at < segments.length; at++) {
    const changed = (value: string[]): string =>
      `/${[...segments.slice(0, at), ...value, ...segments.slice(at + 1)].join("/")}`;
    if (route.path.split("/")[at + 1]!.startsWith("{")) continue;
    found.push({ what: `upper case at ${at}`, path: changed([segments[at]!.toUpperCase()]) });
    found.push({ what: `empty segment at ${at}`, path: changed(["", segments[at]!]) });
    found.push({ what: `dots at ${at}`, path: changed([".", segments[at]!]) });
    found.push({ what: `detour at ${at}`, path: changed(["x", "..", segments[at]!]) });
    found.push({ what: `encoded dots at ${at}`, path: changed(["%2e%2e", segments[at]!]) });
  }
  return found;
}

function methods({ method }: Route): string[] {
  return [
    "OPTIONS",
    "HEAD",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "SEARCH",
    "LINK",
    "BIND",
    "ACL",
    "REBIND",
    "UNLINK",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "MERGE",
    "REPORT",
    "SUBSCRIBE",
    "NOTIFY",
  ].filter((other) => other !== method);
}

function mediaTypes(route: Route): Record<string, string>[] {
  const found: Record<string, string>[] = [];
  if (route.body !== undefined) {
    const wrong = [
      "",
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/xml",
      "application/vnd.cyberbackup.v9+msgpack",
      "application/vnd.cyberbackup.v3",
      "application/msgpack",
      "application/octet-stream",
      "*/*",
      "json",
      "application/jsonx",
      "application/json/x",
      "\u00e9",
      "x".repeat(5000),
    ];
    for (const type of wrong) found.push({ "content-type": type });
    found.push({ "content-encoding": "gzip", "content-type": "text/html" });
  }
  if (route.answer.kind !== "empty") {
    for (const accept of [
      "text/html",
      "application/vnd.cyberbackup.v9",
      "image/*",
      "none",
      ";q=1",
      "application/vnd.cyberbackup.v3+msgpack",
      "x".repeat(5000),
    ]) {
      found.push({ accept });
    }
  }
  return found;
}

function queries({ query }: Route): string[] {
  if (query === undefined) return [];
  const names = Object.keys(query.shape);
  const found = ["unknown=1", "__proto__=1", "constructor=1", "a[b]=c", "%00=1", `${"q".repeat(5000)}=1`, "=", "x"];
  for (const name of names) {
    found.push(
      `${name}=1&${name}=1`,
      `${name}=${"9".repeat(5000)}`,
      `${name}=%00`,
      `${name}=a'%20OR%201=1`,
      `${name}=..%2f..`,
      `${name}=%F0%9F%92%A3`,
      `${name}[]=1`,
    );
  }
  return found;
}

function bodies(route: Route): { what: string; body: Uint8Array | undefined; isChunked?: boolean }[] {
  const { body } = route;
  if (body === undefined) return [];
  const large = new Uint8Array(Math.min(body.maxBytes + 1, 2 ** 20)).fill(0x20);
  const found: { what: string; body: Uint8Array | undefined; isChunked?: boolean }[] = [
    { what: "no body", body: undefined },
    ...(body.maxBytes < 2 ** 20
      ? [
          { what: "more than the limit", body: large },
          { what: "more than the limit, without a length", body: large, isChunked: true },
        ]
      : []),
    ...GARBAGE.map((bytes, i) => ({ what: `garbage ${i}`, body: bytes })),
  ];
  if (body.kind === "json")
    found.push(...JSON_TRICKS.map((text) => ({ what: `JSON ${text.slice(0, 30)}`, body: utf8(text) })));
  if (body.kind === "msgpack") found.push(...MSGPACK_BOMBS.map(({ what, bytes }) => ({ what, body: bytes })));
  if ("schema" in body) found.push(...wrongFields(body.kind, body.schema));
  return found;
}

/** Fixed bytes that no format of ours begins with, and headers of packs that end at once. */
const GARBAGE: Uint8Array[] = [
  utf8(""),
  utf8("\0"),
  utf8("\0".repeat(1000)),
  utf8("x"),
  utf8("<xml/>"),
  utf8("GET / HTTP/1.1\r\n\r\n"),
  utf8("\ufeff{}"),
  utf8("CB4"),
  utf8("CB4 pack v1\n"),
  new Uint8Array([0xc1]),
  new Uint8Array([0xff]),
  new Uint8Array([0x1f, 0x8b, 8, 0]),
  new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]),
  new Uint8Array(5000).fill(0xff),
  new Uint8Array(256).map((_, i) => i),
  new Uint8Array(300).map((_, i) => (i * 7919) & 255),
];

const JSON_TRICKS = [
  "null",
  "true",
  "0",
  '""',
  "[]",
  "[{}]",
  "{",
  "}",
  '{"',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,}',
  "{'a':1}",
  "{a:1}",
  "NaN",
  "{}{}",
  "{}\0",
  "//\n{}",
  '{"a":1e999}',
  '{"__proto__":{"role":"owner"}}',
  '{"constructor":{"prototype":{"role":"owner"}}}',
  '{"unknown":1}',
  `{"x":${"[".repeat(1500)}${"]".repeat(1500)}}`,
  "[".repeat(2000),
  `{"x":"${"A".repeat(2000)}"}`,
  `{${Array.from({ length: 150 }, (_, i) => `"k${i}":1`).join(",")}}`,
  '{"\\u0000":1}',
  '{"a":"\\ud800"}',
];

/** Few bytes that claim, or would make, a great deal. */
const MSGPACK_BOMBS: { what: string; bytes: Uint8Array }[] = [
  ["array of 2^32 - 1", [0xdd, 0xff, 0xff, 0xff, 0xff]],
  ["map of 2^32 - 1", [0xdf, 0xff, 0xff, 0xff, 0xff]],
  ["text of 4 GiB", [0xdb, 0xff, 0xff, 0xff, 0xff]],
  ["bytes of 4 GiB", [0xc6, 0xff, 0xff, 0xff, 0xff]],
  ["extension of 4 GiB", [0xc9, 0xff, 0xff, 0xff, 0xff, 1]],
  ["map of 65535", [0xde, 0xff, 0xff]],
  ["array of 65535", [0xdc, 0xff, 0xff]],
  ["nothing but openings of arrays", new Array(20_000).fill(0x91)],
  ["nothing but openings of maps", new Array(20_000).fill(0x81)],
  ["arrays of arrays of 15", new Array(5000).fill(0x9f)],
  ["a map that names itself a million times", [0xdf, 0, 0x0f, 0x42, 0x40, ...new Array(5000).fill(0xa0)]],
  ["a date", [0xd6, 0xff, 0, 0, 0, 0]],
  ["two values", [0x80, 0x80]],
  ["a key that is a number", [0x81, 1, 1]],
  ["the same key twice", [0x82, 0xa1, 0x61, 1, 0xa1, 0x61, 1]],
  ["keys out of order", [0x82, 0xa1, 0x62, 1, 0xa1, 0x61, 1]],
  ["a number in a long coding", [0x81, 0xa1, 0x61, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1]],
  ["a fraction", [0x81, 0xa1, 0x61, 0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]],
  ["not a number", [0x81, 0xa1, 0x61, 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]],
  ["nil", [0xc0]],
  ["true", [0xc3]],
  ["an empty map", [0x80]],
  ["an empty array", [0x90]],
  ["text that is not UTF-8", [0x81, 0xa2, 0xff, 0xfe, 1]],
  ["__proto__", [0x81, 0xa9, ...utf8("__proto__"), 0x80]],
].map(([what, bytes]) => ({ what: what as string, bytes: new Uint8Array(bytes as number[]) }));

/** Each field missing, and each of a type that no field of ours has. */
function wrongFields(kind: "json" | "msgpack", schema: z.ZodType): { what: string; body: Uint8Array }[] {
  const described = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as {
    properties?: object;
    required?: string[];
  };
  const encode = (value: Record<string, unknown>): Uint8Array =>
    kind === "json" ? utf8(JSON.stringify(value)) : encodeMsgpack(value);
  const found: { what: string; body: Uint8Array }[] = [];
  const { properties = {}, required = [] } = described;
  if (required.length > 0) found.push({ what: "no field at all", body: encode({}) });
  const wrong: [string, unknown][] = [
    ["a map", { a: 1 }],
    ["a list of lists", [[[1]]]],
    ["a great number", Number.MAX_SAFE_INTEGER],
    ["less than nothing", -1],
  ];
  for (const name of Object.keys(properties)) {
    for (const [what, value] of wrong) found.push({ what: `${name} is ${what}`, body: encode({ [name]: value }) });
  }
  return found;
}
