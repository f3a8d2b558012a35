// Asks for the second factor when the server wants a fresh one (api/ask-factor.ts).

import { Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { factorQuestion } from "../api/ask-factor.ts";
import { call } from "../api/call.ts";
import { lookAgain } from "../api/session.ts";
import { CodeInput } from "../parts/CodeInput.tsx";
import { FormEnd } from "../parts/FormEnd.tsx";
import { SHELL } from "../strings/shell.ts";

export function FactorDialogue() {
  const question = useSyncExternalStore(factorQuestion.subscribe, factorQuestion.current);
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const give = useMutation({
    meta: { isShown: true },
    mutationFn: (given: string) => call(PEOPLE_ROUTES.secondFactor, { body: { code: given } }),
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
    <Modal opened={question !== undefined} onClose={() => close(false)} title={SHELL.factorTitle} centered>
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
          <FormEnd
            action={SHELL.factorConfirm}
            work={give}
            isDisabled={code.length < 6}
            onCancel={() => close(false)}
          />
        </Stack>
      </form>
    </Modal>
  );
}
