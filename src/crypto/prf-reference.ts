// The slow, readable twin of prf.ts: SipHash-2-4 in BigInt, line by line as the paper has it. Tests compare the two.
// Nothing but tests and the script that writes golden vectors may import it.

const MASK = (1n << 64n) - 1n;

/** SipHash-2-4 of `message` (Aumasson & Bernstein 2012, §2) as an unsigned 64-bit number. */
export function sipHashReference(key: Uint8Array, message: Uint8Array): bigint {
  const k0 = littleEndian(key.subarray(0, 8));
  const k1 = littleEndian(key.subarray(8, 16));
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;

  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) & MASK;
      v2 = (v2 + v3) & MASK;
      v1 = rotate(v1, 13n) ^ v0;
      v3 = rotate(v3, 16n) ^ v2;
      v0 = rotate(v0, 32n);
      v2 = (v2 + v1) & MASK;
      v0 = (v0 + v3) & MASK;
      v1 = rotate(v1, 17n) ^ v2;
      v3 = rotate(v3, 21n) ^ v0;
      v2 = rotate(v2, 32n);
    }
  };

  const whole = message.length - (message.length % 8);
  for (let at = 0; at < whole; at += 8) {
    const word = littleEndian(message.subarray(at, at + 8));
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  const last = (BigInt(message.length % 256) << 56n) | littleEndian(message.subarray(whole));
  v3 ^= last;
  rounds(2);
  v0 ^= last;
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
