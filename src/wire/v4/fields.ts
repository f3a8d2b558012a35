// Takes the fields out of a decoded MessagePack map, each with its type, and refuses what is missing, wrong or left over.

import { type Bytes, toHex, utf8 } from "../../core/bytes.ts";

export type Fail = (detail: string) => never;

/** One per map. Call `end` when every field has been taken. */
export class FieldReader {
  readonly #map: Record<string, unknown>;
  readonly #fail: Fail;
  #taken = 0;

  constructor(value: unknown, fail: Fail) {
    this.#fail = fail;
    if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
      fail("it is not a map");
    }
    this.#map = value as Record<string, unknown>;
  }

  int(key: string): number {
    const value = this.value(key);
    return typeof value === "number" ? value : this.#wrong(key);
  }

  text(key: string, maxBytes: number): string {
    const value = this.value(key);
    if (typeof value !== "string" || utf8(value).length > maxBytes) return this.#wrong(key);
    return value;
  }

  /** Nil is undefined. */
  optionalText(key: string, maxBytes: number): string | undefined {
    if (this.#map[key] !== null) return this.text(key, maxBytes);
    this.value(key);
    return undefined;
  }

  /** A view of `length` bytes, or of at most `maxLength` when that is given instead. */
  bytes(key: string, size: number | { readonly maxLength: number }): Bytes {
    return this.#asBytes(key, this.value(key), size);
  }

  /** Nil is undefined. */
  optionalBytes(key: string, length: number): Bytes | undefined {
    const value = this.value(key);
    return value === null ? undefined : this.#asBytes(key, value, length);
  }

  id<Id extends string>(key: string, length: number): Id {
    return toHex(this.bytes(key, length)) as Id;
  }

  optionalId<Id extends string>(key: string, length: number): Id | undefined {
    const bytes = this.optionalBytes(key, length);
    return bytes && (toHex(bytes) as Id);
  }

  array(key: string): readonly unknown[] {
    const value = this.value(key);
    return Array.isArray(value) ? value : this.#wrong(key);
  }

  bytesArray(key: string, size: number | { readonly maxLength: number }): Bytes[] {
    return this.array(key).map((value) => this.#asBytes(key, value, size));
  }

  textArray(key: string, maxBytes: number): string[] {
    return this.array(key).map((value) => {
      if (typeof value !== "string" || utf8(value).length > maxBytes) return this.#wrong(key);
      return value;
    });
  }

  map(key: string): FieldReader {
    return new FieldReader(this.value(key), this.#fail);
  }

  /** The value as it was decoded. */
  value(key: string): unknown {
    if (!Object.hasOwn(this.#map, key)) this.#fail(`the field "${key}" is missing`);
    this.#taken++;
    return this.#map[key];
  }

  end(): void {
    if (Object.keys(this.#map).length !== this.#taken) this.#fail("it has fields that are not known");
  }

  #asBytes(key: string, value: unknown, size: number | { readonly maxLength: number }): Bytes {
    if (!(value instanceof Uint8Array)) return this.#wrong(key);
    const fits = typeof size === "number" ? value.length === size : value.length <= size.maxLength;
    return fits ? (value as Bytes) : this.#wrong(key);
  }

  #wrong(key: string): never {
    return this.#fail(`the field "${key}" is not what it should be`);
  }
}
