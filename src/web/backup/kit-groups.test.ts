import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../../core/clock.ts";
import { generateRecoveryKey } from "../../engine/enrol/new-vault.ts";
import { checkGroups, groupsOf } from "./kit-groups.ts";

test("the groups are the key, and the first is what all keys begin with", async () => {
  const { identity } = await generateRecoveryKey(systemRandom);
  const groups = groupsOf(identity);
  assert.equal(groups.join(""), identity);
  assert.equal(groups[0], "AGE-SECRET-KEY-PQ-1");
  assert.ok(groups.length > 5 && groups.slice(1, -1).every((group) => group.length === 6));
});

test("what was typed is right however it is spaced, and wrong when a letter is", async () => {
  const { identity } = await generateRecoveryKey(systemRandom);
  const groups = groupsOf(identity);
  const [a, b] = [groups[2]!, groups[5]!];
  assert.ok(checkGroups(identity, [2, 5], [a, b]));
  assert.ok(checkGroups(identity, [2, 5], [` ${a.toLowerCase()} `, b.split("").join(" ")]));
  assert.ok(!checkGroups(identity, [2, 5], [b, a]) || a === b);
  assert.ok(!checkGroups(identity, [2, 5], [a, `${b}q`]));
  assert.ok(!checkGroups(identity, [2, 5], [a]));
  assert.ok(!checkGroups(identity, [999], [""]));
});
