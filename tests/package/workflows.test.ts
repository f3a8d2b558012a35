// The workflows are YAML, name scripts and files that there are, pin what they use, and have no more rights than they need.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";

type Step = { uses?: string; run?: string; with?: Record<string, unknown> };
type Job = {
  "runs-on": string;
  "timeout-minutes"?: number;
  permissions?: Record<string, string>;
  needs?: string[];
  strategy?: { matrix: { os?: string[]; node?: number[]; include?: { os: string; target: string }[] } };
  steps: Step[];
};
type Workflow = { on: unknown; permissions: unknown; jobs: Record<string, Job> };

const ROOT = join(import.meta.dirname, "..", "..");
const FOLDER = join(ROOT, ".github", "workflows");
const scripts = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> })
  .scripts;
const workflows = new Map(
  readdirSync(FOLDER).map((name) => [name, parse(readFileSync(join(FOLDER, name), "utf8")) as Workflow]),
);

for (const [name, workflow] of workflows) {
  describe(name, () => {
    test("begins without rights, and every job has an end", () => {
      assert.deepEqual(workflow.permissions, { contents: "read" });
      for (const [job, { "timeout-minutes": minutes, needs = [] }] of Object.entries(workflow.jobs)) {
        assert.ok(minutes !== undefined && minutes <= 60, job);
        for (const needed of needs) assert.ok(needed in workflow.jobs, needed);
      }
    });

    test("runs scripts and names files that there are", () => {
      const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
      const commands = steps.flatMap(({ run }) => run ?? []);
      for (const [, script] of commands.join("\n").matchAll(/npm (?:run )?(test|check|build[\w:]*|screenshots)\b/g))
        assert.ok(scripts[script!], script!);
      for (const [, file] of commands.join("\n").matchAll(/--file (\S+)/g))
        assert.ok(existsSync(join(ROOT, file!)), file!);
      for (const { uses, with: given } of steps) {
        if (uses === undefined) continue;
        assert.match(uses, /^[\w-]+\/[\w-]+@v\d+$/);
        if (uses.startsWith("actions/checkout@")) assert.equal(given?.["persist-credentials"], false);
      }
    });
  });
}

test("every system and every Node that starts the program is tested", () => {
  const { matrix } = workflows.get("ci.yml")!.jobs.test!.strategy!;
  assert.deepEqual(
    matrix.os!.map((os) => os.split("-")[0]),
    ["ubuntu", "macos", "windows"],
  );
  assert.deepEqual(matrix.node, [24, 26]);
});

test("a release has provenance, the list of its parts, and an executable for each system", () => {
  const { jobs } = workflows.get("release.yml")!;
  const text = readFileSync(join(FOLDER, "release.yml"), "utf8");
  assert.match(text, /npm publish --provenance/);
  assert.match(text, /npm sbom .*cyclonedx/);
  assert.equal(jobs.package!.permissions!["id-token"], "write");
  const targets = jobs.executables!.strategy!.matrix.include!.map(({ target }) => target);
  assert.deepEqual(targets, ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64", "win32-arm64"]);
});
