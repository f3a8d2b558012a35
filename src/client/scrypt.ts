// Node's native scrypt with the numbers that age fixes, and a head start for it: a derivation takes half a second of a thread of its
// own, in which most of the program can be loaded. So this file imports nothing but Node.

import { scrypt } from "node:crypto";

const LABEL = "age-encryption.org/v1/scrypt";
const KEY_BYTES = 32;
const BLOCK_SIZE = 8;

type Question = { readonly passphrase: string; readonly salt: Uint8Array; readonly logN: number };

let ahead: (Question & { readonly key: Promise<Uint8Array> }) | undefined;

/** Begins now what `deriveScrypt` will most likely be asked for; it changes nothing but when the answer comes. */
export function deriveAhead(question: Question): void {
  const key = derive(question);
  // Whoever asks for it hears what went wrong.
  key.catch(() => undefined);
  ahead = { ...question, key };
}

/** The key of a passphrase with work factor 2^logN. */
export function deriveScrypt(question: Question): Promise<Uint8Array> {
  const begun = ahead;
  ahead = undefined;
  return begun && isSame(begun, question) ? begun.key : derive(question);
}

function isSame(a: Question, b: Question): boolean {
  return a.passphrase === b.passphrase && a.logN === b.logN && Buffer.compare(a.salt, b.salt) === 0;
}

function derive({ passphrase, salt, logN }: Question): Promise<Uint8Array> {
  const N = 2 ** logN;
  // Node refuses scrypt that needs more than maxmem: 128 · N · r and some working space.
  const options = { N, r: BLOCK_SIZE, p: 1, maxmem: 128 * N * BLOCK_SIZE + (1 << 20) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([Buffer.from(LABEL), salt]), KEY_BYTES, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
