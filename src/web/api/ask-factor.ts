// Between what needs a fresh second factor and the dialogue that asks for it (app/FactorDialogue.tsx): one question at a time.

type Question = { readonly answer: (isGiven: boolean) => void };

let open: { readonly promise: Promise<boolean>; readonly question: Question } | undefined;
const listeners = new Set<() => void>();

/** Resolves to whether a fresh factor was given. */
export function askForFactor(): Promise<boolean> {
  if (open === undefined) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const answer = (isGiven: boolean): void => {
      open = undefined;
      tell();
      resolve(isGiven);
    };
    open = { promise, question: { answer } };
    tell();
  }
  return open.promise;
}

export const factorQuestion = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  current: (): Question | undefined => open?.question,
};

function tell(): void {
  for (const listener of listeners) listener();
}
