// Judges a passphrase by zxcvbn with the English word lists. Loaded on demand: about a megabyte of lists.

import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary as common } from "@zxcvbn-ts/language-common";
import { dictionary as english, translations } from "@zxcvbn-ts/language-en";
import type { Strength } from "./PassphraseStrength.tsx";

const LONGEST = 100;

let factory: ZxcvbnFactory | undefined;

/** Against somebody who has the keyslot file and much hardware: scrypt makes each guess cost a second of one core. */
export function judgePassphrase(passphrase: string): Strength {
  factory ??= new ZxcvbnFactory({ dictionary: { ...common, ...english }, graphs: adjacencyGraphs, translations });
  const { score, feedback, crackTimes } = factory.check(passphrase.slice(0, LONGEST));
  const { warning, suggestions } = feedback;
  return {
    score,
    advice: [warning, ...suggestions].filter(Boolean).join(" "),
    time: crackTimes.offlineSlowHashingXPerSecond.display,
  };
}
