import assert from "node:assert/strict";
import { test } from "node:test";
import type { Case, Result } from "./case.ts";
import { judge } from "./judge.ts";
import { measure, missingTool } from "./measure.ts";
import { page } from "./report.ts";
import { takeTurns } from "./turns.ts";

const skip = missingTool() ?? false;
const quiet = () => {};

function toy(order: string[]): Case {
  const contender = (name: string) => ({
    name,
    before: async () => void order.push(name),
    command: () => ({ argv: ["true"] as [string] }),
    stored: async () => (name === "ours" ? 80 : 100),
  });
  return {
    name: "toy",
    title: "A toy",
    prepare: async () => void order.push("prepare"),
    beforeRound: async (round) => void order.push(String(round)),
    contenders: [contender("ours"), contender("theirs")],
    targets: [
      { quantity: "stored", against: "theirs", atMost: 0.5 },
      { quantity: "peak", atMost: 2 ** 28 },
    ],
  };
}

test("a command's time and memory are measured", { skip }, async () => {
  const { wallMs, peakBytes } = await measure({ argv: ["sh", "-c", "sleep 0.2"] });
  assert.ok(wallMs >= 200 && wallMs < 10_000, `${wallMs} ms`);
  assert.ok(peakBytes > 100_000 && peakBytes < 2 ** 26, `${peakBytes} bytes`);
});

test("a command that fails stops the benchmark and shows what it said", { skip }, async () => {
  await assert.rejects(measure({ argv: ["sh", "-c", "echo no vault >&2; exit 10"] }), /ended with 10[\s\S]*no vault/);
});

test("contenders take turns", { skip }, async () => {
  const order: string[] = [];
  const { series, runs } = await takeTurns(toy(order), { runs: 2, settleSeconds: 0, say: quiet });
  assert.equal(runs, 2);
  assert.deepEqual(order, ["prepare", "0", "ours", "theirs", "1", "ours", "theirs"]);
  assert.deepEqual(
    series.map(({ name, wallMs }) => [name, wallMs.length]),
    [
      ["ours", 2],
      ["theirs", 2],
    ],
  );
});

test("a page names what was missed and by how much, and keeps the notes", () => {
  const result: Result = {
    name: "toy",
    date: "2030-01-01",
    machine: "one core",
    versions: { node: "26" },
    runs: 2,
    series: [
      { name: "ours", wallMs: [10, 20], peakBytes: [2 ** 27, 2 ** 27], storedBytes: [80, 60] },
      { name: "theirs", wallMs: [20, 20], peakBytes: [1, 1], storedBytes: [100, 100] },
    ],
  };
  const benchmark = toy([]);
  assert.deepEqual(
    judge(benchmark, result).map(({ verdict }) => verdict),
    ["missed by 40 %", "met, 50 % to spare"],
  );
  const first = page([benchmark], [result], "");
  assert.match(
    first,
    /\| toy \| stored bytes against `theirs` \| 0\.50× \| 0\.70× \(0\.60× to 0\.80×\) \| missed by 40 % \|/,
  );
  const edited = first.replace("Nothing yet.", "The hash takes half of it.");
  assert.match(page([benchmark], [], edited), /not measured yet[\s\S]*The hash takes half of it\./);
});

test("what the target leaves out is taken off run by run", () => {
  const benchmark: Case = {
    ...toy([]),
    targets: [{ quantity: "wall", atMost: 400 }],
    allowance: { what: "unlocking", measureMs: async () => 0 },
  };
  const series = [{ name: "ours", wallMs: [900, 700], peakBytes: [], storedBytes: [] }];
  const result: Result = { name: "toy", date: "", machine: "", versions: {}, runs: 2, series, allowanceMs: [500, 400] };
  assert.equal(judge(benchmark, result)[0]?.measured.median, 350);
});
