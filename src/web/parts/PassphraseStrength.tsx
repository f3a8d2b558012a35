// How hard a passphrase is to guess (zxcvbn), with advice. The estimate and its word lists are loaded when somebody types: they are
// large. Nothing that is typed goes anywhere.

import { Progress, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { STRENGTH } from "../strings/vaults.ts";

export type Strength = { readonly score: number; readonly advice: string; readonly time: string };

const COLORS = ["red", "red", "orange", "teal", "green"] as const;

export function PassphraseStrength({
  passphrase,
  onJudged,
}: {
  readonly passphrase: string;
  readonly onJudged: (strength: Strength | undefined) => void;
}) {
  const [strength, setStrength] = useState<Strength | undefined>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new listener is no new passphrase
  useEffect(() => {
    let isOld = false;
    if (passphrase === "") {
      setStrength(undefined);
      onJudged(undefined);
      return;
    }
    void import("./judge-passphrase.ts").then(({ judgePassphrase }) => {
      if (isOld) return;
      const judged = judgePassphrase(passphrase);
      setStrength(judged);
      onJudged(judged);
    });
    return () => {
      isOld = true;
    };
  }, [passphrase]);
  const score = strength?.score ?? 0;
  return (
    <Stack gap={4} aria-live="polite">
      <Progress.Root size="sm" aria-hidden>
        <Progress.Section value={strength === undefined ? 0 : (score + 1) * 20} color={COLORS[score] ?? "red"} />
      </Progress.Root>
      <Text size="xs" c="dimmed">
        {strength === undefined
          ? STRENGTH.ask
          : `${STRENGTH.words[score]}. ${STRENGTH.crack(strength.time)} ${strength.advice}`.trim()}
      </Text>
    </Stack>
  );
}
