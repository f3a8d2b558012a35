// An authenticator for tests, in software: makes ES256 passkeys and signs with them as Web Authentication Level 3 has it (sections 6.1, 6.5
// and 7.2), without a browser. Each of its lies is one field of `Lie`.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export type Question = { readonly origin: string; readonly publicKey: { readonly challenge: string } };

export type Lie = {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly isVerified?: boolean;
  readonly counter?: number;
  readonly signature?: string;
};

const USER_IS_PRESENT = 0x01;
const USER_IS_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

export class SoftPasskey {
  readonly id = randomBytes(32);
  readonly #key: KeyObject;
  readonly #cose: Buffer;
  #counter = 0;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    const { x, y } = publicKey.export({ format: "jwk" });
    // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
    this.#cose = Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
      cborBytes(Buffer.from(x!, "base64url")),
      Buffer.from([0x22]),
      cborBytes(Buffer.from(y!, "base64url")),
    ]);
  }

  /** The answer to a wish. */
  make({ origin, publicKey }: Question & { publicKey: { rp: { id: string } } }, lie: Lie = {}) {
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, this.#cose]);
    const data = this.#data(lie.rpId ?? publicKey.rp.id, lie, HAS_CREDENTIAL, credential);
    const attestation = Buffer.concat([
      Buffer.from([0xa3]),
      cborText("fmt"),
      cborText("none"),
      cborText("attStmt"),
      Buffer.from([0xa0]),
      cborText("authData"),
      cborBytes(data),
    ]);
    return {
      id: this.id.toString("base64url"),
      clientDataJSON: clientData("webauthn.create", origin, publicKey.challenge, lie).toString("base64url"),
      attestationObject: attestation.toString("base64url"),
      transports: ["internal"],
    };
  }

  /** The answer to a question. */
  confirm({ origin, publicKey }: Question & { publicKey: { rpId: string } }, lie: Lie = {}) {
    const client = clientData("webauthn.get", origin, publicKey.challenge, lie);
    const data = this.#data(lie.rpId ?? publicKey.rpId, lie, 0, Buffer.alloc(0));
    const signed = Buffer.concat([data, createHash("sha256").update(client).digest()]);
    return {
      id: this.id.toString("base64url"),
      clientDataJSON: client.toString("base64url"),
      authenticatorData: data.toString("base64url"),
      signature: lie.signature ?? sign("sha256", signed, this.#key).toString("base64url"),
    };
  }

  #data(rpId: string, { isVerified = true, counter }: Lie, more: number, credential: Buffer): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter ?? ++this.#counter);
    const flags = USER_IS_PRESENT | (isVerified ? USER_IS_VERIFIED : 0) | more;
    return Buffer.concat([createHash("sha256").update(rpId).digest(), Buffer.from([flags]), count, credential]);
  }
}

function clientData(type: string, origin: string, challenge: string, lie: Lie): Buffer {
  const said = { type: lie.type ?? type, challenge: lie.challenge ?? challenge, origin: lie.origin ?? origin };
  return Buffer.from(JSON.stringify({ ...said, crossOrigin: false }));
}

/** RFC 8949, of lengths below 256. */
function cborBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(bytes.length < 24 ? [0x40 | bytes.length] : [0x58, bytes.length]), bytes]);
}

function cborText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 | text.length]), Buffer.from(text)]);
}
