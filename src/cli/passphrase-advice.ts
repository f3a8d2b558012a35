// A hint on how long a new passphrase lasts against guessing. Advice only: whoever owns the data decides.
// The vault's keyslots can be guessed at offline at scrypt speed (docs/format.md, What each adversary can do).

const SHORT_CHARACTERS = 12;
/** A rough lower bound: scrypt at 2^17 makes 2^50 guesses cost years of many machines. */
const WEAK_BITS = 50;

/** A sentence when it could be better; undefined when it looks fine. */
export function passphraseAdvice(passphrase: string): string | undefined {
  if ([...passphrase].length < SHORT_CHARACTERS) {
    return `That is short: ${SHORT_CHARACTERS} characters or more, or five random words, would be much harder to guess.`;
  }
  if (estimateBits(passphrase) < WEAK_BITS) {
    return "That looks easy to guess: more different words or characters would make it stronger.";
  }
  return undefined;
}

/** Characters times the size of the alphabet that they show, less what repeats or counts up. */
export function estimateBits(passphrase: string): number {
  const alphabets: readonly [RegExp, number][] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[^a-zA-Z0-9]/, 33],
  ];
  const size = alphabets.reduce((sum, [pattern, letters]) => sum + (pattern.test(passphrase) ? letters : 0), 0);
  const characters = [...passphrase];
  const fresh = characters.filter((character, i) => {
    const step = i === 0 ? undefined : character.codePointAt(0)! - characters[i - 1]!.codePointAt(0)!;
    return step === undefined || Math.abs(step) > 1;
  });
  return fresh.length * Math.log2(Math.max(size, 1)) * (new Set(characters).size / characters.length) ** 0.5;
}
