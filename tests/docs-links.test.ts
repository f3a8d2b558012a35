// Links in the documentation lead somewhere: files that are there, and headings that are in them. Every page is in the index.

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGES = [...globSync("*.md", { cwd: ROOT }), ...globSync("docs/**/*.md", { cwd: ROOT })].filter(
  (path) => !path.startsWith("node_modules"),
);
const text = (path: string): string => readFileSync(join(ROOT, path), "utf8");

function brokenLinks(page: string, content: string): string[] {
  const prose = content
    .replace(/^ {4}.*$/gm, "")
    .replace(/```[\s\S]*?```/g, "")
    .replace(/`[^`\n]*`/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^https:\/\//.test(link)) return false;
    const [path = "", heading] = link.split("#");
    const target = path === "" ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(ROOT, target))) return true;
    return heading !== undefined && target.endsWith(".md") && !headingsIn(text(target)).has(heading);
  });
}

/** As the usual renderers name them. */
function headingsIn(content: string): Set<string> {
  const titles = [...content.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

describe("links", () => {
  for (const page of PAGES) test(page, () => assert.deepEqual(brokenLinks(page, text(page)), []));

  test("one that leads nowhere would be found", () => {
    assert.deepEqual(brokenLinks("README.md", "[a](docs/nothing.md) [b](docs/why.md#nothing) [c](docs/why.md)"), [
      "docs/nothing.md",
      "docs/why.md#nothing",
    ]);
  });
});

test("the index names every page", () => {
  const index = text("docs/README.md");
  const pages = PAGES.filter(
    (path) => path.startsWith("docs/") && !path.startsWith("docs/decisions/") && path !== "docs/README.md",
  );
  const missing = pages.filter((path) => !index.includes(`(${path.slice("docs/".length)})`));
  assert.deepEqual(missing, []);
});
