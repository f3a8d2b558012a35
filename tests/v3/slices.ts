// Ways to cut bytes into slices, for readers that must not care how a stream arrives.

/** Each byte alone, all at once, and the given number of random cuts (xorshift32 after `seed`). */
export function* slicings(bytes: Uint8Array, randomCuts: number, seed = 7): Generator<Uint8Array[]> {
  yield Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  yield [bytes];
  let word = seed | 1;
  const below = (limit: number): number => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return (word >>> 0) % limit;
  };
  for (let round = 0; round < randomCuts; round++) {
    const slices: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      // Now and then an empty one.
      const length = below(8) === 0 ? 0 : 1 + below(below(2) === 0 ? 9 : bytes.length);
      slices.push(bytes.subarray(at, at + length));
      at += Math.min(length, bytes.length - at);
    }
    yield slices;
  }
}
