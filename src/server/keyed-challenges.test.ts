import assert from "node:assert/strict";
import { test } from "node:test";
import { testClock } from "../../tests/vault/kit.ts";
import { utf8 } from "../core/bytes.ts";
import { systemRandom } from "../core/clock.ts";
import { KeyedChallenges, PURPOSE } from "./keyed-challenges.ts";

const LIVES_MS = 60_000;
const { login, passkeyAdd } = PURPOSE;
const [here, there] = [utf8("here"), utf8("there")];

test("a challenge is good for its time, once, for one purpose and context, in one process", () => {
  const clock = testClock();
  const parts = { clock, random: systemRandom, livesMs: LIVES_MS };
  const challenges = new KeyedChallenges(parts);
  const { challenge, expiresAt } = challenges.make(login, here);
  assert.equal(expiresAt, clock.now() + LIVES_MS);
  assert.ok(challenges.isGood(challenge, login, here));
  assert.ok(!challenges.isGood(challenge, login, there));
  assert.ok(!challenges.isGood(challenge, passkeyAdd, here));
  assert.ok(!new KeyedChallenges(parts).isGood(challenge, login, here));
  assert.ok(!challenges.isGood(challenge.subarray(1), login, here));
  for (let i = 0; i < challenge.length; i++) {
    const changed = challenge.slice();
    changed[i]! ^= 1;
    assert.ok(!challenges.isGood(changed, login, here), `byte ${i}`);
  }
  assert.ok(challenges.use(challenge));
  assert.ok(!challenges.isGood(challenge, login, here));
  assert.ok(!challenges.use(challenge));

  const { challenge: next } = challenges.make(login, here);
  clock.advance(LIVES_MS - 1);
  assert.ok(challenges.isGood(next, login, here));
  assert.ok(challenges.use(next));
  clock.advance(1);
  assert.ok(!challenges.isGood(challenges.make(login, there).challenge, login, here));
  // The first one is forgotten by now, and too old; the second one is still known.
  assert.ok(!challenges.isGood(challenge, login, here));
  assert.ok(!challenges.use(next));
});

test("a mark is the same for a text, another for another text, purpose and process", () => {
  const parts = { clock: testClock(), random: systemRandom, livesMs: LIVES_MS };
  const [challenges, others] = [new KeyedChallenges(parts), new KeyedChallenges(parts)];
  const mark = challenges.mark(PURPOSE.inventedVault, here);
  assert.equal(mark.length, 16);
  assert.deepEqual(challenges.mark(PURPOSE.inventedVault, here), mark);
  assert.notDeepEqual(challenges.mark(PURPOSE.inventedVault, there), mark);
  assert.notDeepEqual(challenges.mark(login, here), mark);
  assert.notDeepEqual(others.mark(PURPOSE.inventedVault, here), mark);
});
