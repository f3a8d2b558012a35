// Sends packs so that a lost connection or a server that starts again costs nothing: a pack is kept whole in memory until the vault
// has acknowledged it, and sent again as often as it takes. So an upload also never waits for its own backup to go on, which a
// server would take for a stalled one. Memory is bounded: so many packs at a time, and the next one's slices are not taken before.

import type { SessionId, VaultId } from "../../core/ids.ts";
import { DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import { NEW_PACK, packIdOf } from "../../wire/v4/pack.ts";
import { PackStreamParser } from "../../wire/v4/pack-stream.ts";
import type { PackReceipt } from "../../wire/v4/vault-port.ts";
import type { ApiClient } from "./api-client.ts";
import { answerInvalid } from "./exchange.ts";
import { type KeptPack, PackMemory } from "./kept-pack.ts";
import { Slots } from "./slots.ts";
import type { HttpBody } from "./transport.ts";

/** One that fills, one that is sent, one that the vault is making durable. */
const PACKS_AT_ONCE = 3;
/** Pieces in which a body is handed on: a slow network shows progress often. */
const PIECE_BYTES = 64 * 1024;

export class PackSender {
  readonly #client: ApiClient;
  readonly #vault: VaultId;
  readonly #slots = new Slots(PACKS_AT_ONCE);
  readonly #memory = new PackMemory();
  readonly #numbers = new Map<SessionId, number>();

  constructor(client: ApiClient, vault: VaultId) {
    this.#client = client;
    this.#vault = vault;
  }

  async put(session: SessionId, stream: AsyncIterable<Uint8Array>): Promise<PackReceipt> {
    const n = this.#numbers.get(session) ?? 0;
    this.#numbers.set(session, n + 1);
    const release = await this.#slots.take();
    const pack = this.#memory.begin();
    try {
      const { header, footer, blocks } = await keep(stream, pack);
      const params = { vault: this.#vault, session, n };
      const body: HttpBody = { lengthBytes: pack.lengthBytes, slices: () => pack.pieces(PIECE_BYTES) };
      const receipt = await this.#send(params, body);
      const packId = await packIdOf(header, footer);
      if (receipt.pack !== packId) throw answerInvalid("it acknowledged another pack.");
      requireBlockNos(receipt.blockNos, blocks);
      return { packId, blockNos: receipt.blockNos };
    } finally {
      pack.letGo();
      release();
    }
  }

  /**
   * Before a pack is sent again something small is asked: a server that refuses early what is large often loses its answer on the way,
   * and what it would have said (log in, the session is over, the device is revoked) is heard this way.
   */
  #send(params: { vault: VaultId; session: SessionId; n: number }, body: HttpBody) {
    const client = this.#client;
    let isAgain = false;
    return client.call(DEVICE_ROUTES.putPack, { params, body }, async () => {
      if (isAgain) await client.once(DEVICE_ROUTES.renewSession, { params });
      isAgain = true;
    });
  }

  /** No more packs of this session come. */
  forget(session: SessionId): void {
    this.#numbers.delete(session);
  }
}

/** Copies the stream, whose slices are nobody's after each step, into `pack`, and finds its ends. Throws `pack_corrupt` for half of one. */
async function keep(stream: AsyncIterable<Uint8Array>, pack: KeptPack) {
  const parser = new PackStreamParser(NEW_PACK, { inParts: true });
  let blocks = 0;
  let [header, footer] = [new Uint8Array(), new Uint8Array()];
  for await (const slice of stream) {
    pack.add(slice);
    for (const event of parser.push(slice)) {
      if (event.type === "header") header = event.bytes.slice();
      else if (event.type === "frame") blocks++;
      else if (event.type === "footer") footer = event.bytes.slice();
    }
  }
  parser.end();
  return { blocks, header, footer };
}

/** What a snapshot will rest on: a number twice would let two blocks go as one. */
function requireBlockNos(blockNos: readonly number[], blocks: number): void {
  if (blockNos.length !== blocks) throw answerInvalid("it acknowledged another number of blocks.");
  if (blockNos.includes(0) || new Set(blockNos).size !== blocks) throw answerInvalid("its block numbers are not ones.");
}
