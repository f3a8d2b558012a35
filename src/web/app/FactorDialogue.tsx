// Asks for the second factor when the server wants a fresh one (api/ask-factor.ts).

import { Anchor, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { factorQuestion } from "../api/ask-factor.ts";
import { call } from "../api/call.ts";
import { giveFactorByPasskey, passkeysHere } from "../api/passkeys.ts";
import { lookAgain } from "../api/session.ts";
import { CodeInput } from "../parts/CodeInput.tsx";
import { Dialogue } from "../parts/Dialogue.tsx";
import { FormEnd } from "../parts/FormEnd.tsx";
import { SHELL } from "../strings/shell.ts";

/** Dialogues that need it. */
const ABOVE = 220;
/** In place of a code. */
const PASSKEY = "passkey";

export function FactorDialogue() {
  const question = useSyncExternalStore(factorQuestion.subscribe, factorQuestion.current);
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const give = useMutation({
    meta: { isShown: true },
    mutationFn: async (given: string | typeof PASSKEY) => {
      if (given === PASSKEY) await giveFactorByPasskey();
      else await call(PEOPLE_ROUTES.secondFactor, { body: { code: given } });
    },
    onSuccess: async () => {
      await lookAgain(client);
      close(true);
    },
    onError: () => setCode(""),
  });
  const close = (isGiven: boolean): void => {
    setCode("");
    give.reset();
    question?.answer(isGiven);
  };
  return (
    <Dialogue
      opened={question !== undefined}
      onClose={() => close(false)}
      title={SHELL.factorTitle}
      centered
      isQuestion
      zIndex={ABOVE}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          give.mutate(code);
        }}
      >
        <Stack>
          <Text size="sm">{SHELL.factorText}</Text>
          <CodeInput
            label={SHELL.factorCode}
            value={code}
            onChange={setCode}
            onComplete={(value) => give.mutate(value)}
          />
          {passkeysHere() === "there" && (
            <Anchor component="button" type="button" size="sm" ta="left" onClick={() => give.mutate(PASSKEY)}>
              {SHELL.factorPasskey}
            </Anchor>
          )}
          <FormEnd
            action={SHELL.factorConfirm}
            work={give}
            isDisabled={code.length < 6}
            onCancel={() => close(false)}
          />
        </Stack>
      </form>
    </Dialogue>
  );
}
