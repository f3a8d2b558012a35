// The uploads of one connection, by file name: what each packet and each word on a checksum does to them. Answers are given as values,
// undefined meaning that protocol 3 says nothing there; the connection sends them. `close` means that nothing more is to be read.

import { checkName } from "../core/filename.ts";
import type { V3ClientId } from "../core/ids.ts";
import { type Said, said } from "../core/log.ts";
import type { PacketHead } from "../wire/v3/messages.ts";
import { IncomingFile, type PacketPlace, type Received, type Window } from "./incoming-file.ts";
import type { GiveBack, Places } from "./places.ts";
import type { Upload, UploadFile, UploadStore } from "./upload-store.ts";

export type UploadsOptions = {
  readonly store: UploadStore;
  /** Of the whole gateway. */
  readonly places: Places;
  readonly window: Window;
  /** Times that one file may be sent again. */
  readonly resends: number;
  /** Fires when the connection is gone. */
  readonly signal: AbortSignal;
};

/** Who sends, and with which key: a key exchange in between changes both for the files that begin after it. */
export type Sender = { readonly client: V3ClientId; readonly user: string; readonly fileKey: Uint8Array };

export type PacketAnswer =
  /** The packet was taken, or is of no use; more is to come. */
  | { readonly do: "go_on" }
  | { readonly do: "received"; readonly name: string; readonly received: Received }
  | { readonly do: "refuse"; readonly reason: Refusal }
  | { readonly do: "close"; readonly reason: Refusal };

/** Why, for the log. */
export type Refusal = Said | Error;

/** Files that one connection may have on their way at a time; the old client has one. */
const FILES_AT_MOST = 16;
/** Names whose tries are remembered. */
const NAMES_AT_MOST = 256;

const GO_ON: PacketAnswer = { do: "go_on" };

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #files = new Map<string, IncomingFile>();
  /** Files that were refused in the middle: the rest of their packets is passed over. */
  readonly #refused = new Map<string, { readonly total: number; number: number }>();
  readonly #tries = new Map<string, number>();
  /** The packet whose content comes now, and where it goes; undefined: nowhere. */
  #packet: { readonly head: PacketHead; readonly file: IncomingFile; readonly place: PacketPlace } | undefined;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** Files that hold something in the store. */
  get count(): number {
    return this.#files.size;
  }

  /** The head of a packet of which `contentBytes` follow. */
  async beginPacket(head: PacketHead, contentBytes: number, sender: Sender | undefined): Promise<PacketAnswer> {
    this.#packet = undefined;
    if (this.#isPassedOver(head)) return GO_ON;
    const problem = problemOf(head, contentBytes, sender);
    if (problem !== undefined) return this.#refuse(head, problem);
    const name = head.name!;
    let file = this.#files.get(name);
    if (head.number === 1 && file?.placeOf(head) !== "next") {
      const begun = await this.#begin(head, name, sender!);
      if (!(begun instanceof IncomingFile)) return begun;
      file = begun;
    }
    if (!file) return this.#refuse(head, said`its first packet is missing`);
    const place = file.placeOf(head);
    if (place === "contradicts") return this.#refuse(head, said`it contradicts its first packet`);
    if (place === "over_window") return this.#refuse(head, said`too many packets came before their turn`);
    if (place === "early") file.beginEarly(head.number, contentBytes);
    this.#packet = { head, file, place };
    return GO_ON;
  }

  async takeContent(content: Uint8Array): Promise<PacketAnswer> {
    if (!this.#packet) return GO_ON;
    const { head, file, place } = this.#packet;
    if (place === "early") file.takeEarly(head.number, content);
    if (place !== "next") return GO_ON;
    try {
      await file.take(content);
      return GO_ON;
    } catch (error) {
      return this.#refuse(head, error as Error);
    }
  }

  async endPacket(): Promise<PacketAnswer> {
    const packet = this.#packet;
    this.#packet = undefined;
    if (packet?.place !== "next") return GO_ON;
    const { head, file } = packet;
    try {
      await file.endPacket();
      if (!file.isWhole) return GO_ON;
      const received = await file.end();
      if (received) return { do: "received", name: head.name!, received };
      this.#files.delete(head.name!);
      return { do: "refuse", reason: said`its content is not what it was said to be` };
    } catch (error) {
      return this.#refuse(head, error as Error);
    }
  }

  /** 1029: true once the file is safe, false when it was not sent, or could not be stored. */
  async confirm(
    name: string,
  ): Promise<{ readonly isSafe: true } | { readonly isSafe: false; readonly reason: Refusal }> {
    const file = this.#files.get(name);
    if (!file?.isReceived) return { isSafe: false, reason: said`no file of that name waits for its checksum` };
    this.#files.delete(name);
    try {
      await file.commit();
      this.#tries.delete(name);
      return { isSafe: true };
    } catch (error) {
      return { isSafe: false, reason: error as Error };
    }
  }

  /** 1030 and 1031: forgets the file. False when nothing of that name was sent on this connection. */
  async drop(name: string): Promise<boolean> {
    const wasSent = this.#files.has(name) || this.#tries.has(name);
    await this.#forget(name);
    return wasSent;
  }

  /** The connection is over. */
  async abortAll(): Promise<void> {
    this.#packet = undefined;
    await Promise.all([...this.#files.keys()].map((name) => this.#forget(name)));
  }

  /** Packet 1 begins the file, again if need be. */
  async #begin(head: PacketHead, name: string, sender: Sender): Promise<IncomingFile | PacketAnswer> {
    await this.#forget(name);
    const tries = (this.#tries.get(name) ?? 0) + 1;
    if (tries > 1 + this.#options.resends) return { do: "close", reason: said`one file was sent too often` };
    if (this.#files.size >= FILES_AT_MOST) return this.#refuse(head, said`too many files are on their way`);
    this.#remember(name, tries);
    const { client, user, fileKey } = sender;
    const { plainBytes, total } = head;
    try {
      const upload = await this.#beginUpload({ client, user, name, sizeBytes: plainBytes });
      if (!upload) return this.#refuse(head, said`all places are taken`);
      const file = new IncomingFile({ fileKey, plainBytes, total, window: this.#options.window, upload });
      this.#files.set(name, file);
      return file;
    } catch (error) {
      return this.#refuse(head, error as Error);
    }
  }

  /** Waits for a place, unless this connection has one already: two that wait for each other would wait for ever. */
  async #beginUpload(file: UploadFile): Promise<Upload | undefined> {
    const { store, places, signal } = this.#options;
    const giveBack = this.#files.size === 0 ? await places.take(signal) : places.takeNow();
    if (!giveBack) return undefined;
    try {
      return inPlace(await store.begin(file), giveBack);
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  #remember(name: string, tries: number): void {
    this.#tries.delete(name);
    this.#tries.set(name, tries);
    if (this.#tries.size > NAMES_AT_MOST) this.#tries.delete(this.#tries.keys().next().value!);
  }

  /** "Once per file": whoever sends a hundred packets gets one answer, not a hundred that it does not expect. */
  async #refuse(head: PacketHead, reason: Refusal): Promise<PacketAnswer> {
    this.#packet = undefined;
    const key = head.name ?? "";
    await this.#forget(key);
    if (head.number < head.total) this.#refused.set(key, { total: head.total, number: head.number });
    if (this.#refused.size > NAMES_AT_MOST) this.#refused.delete(this.#refused.keys().next().value!);
    return { do: "refuse", reason };
  }

  /** True for a packet that follows one that was refused. Anything else of that name is looked at anew. */
  #isPassedOver({ name, number, total }: PacketHead): boolean {
    const refused = this.#refused.get(name ?? "");
    if (!refused) return false;
    const follows = number !== 1 && total === refused.total && number > refused.number && number <= total;
    if (follows) refused.number = number;
    if (!follows || number === total) this.#refused.delete(name ?? "");
    return follows;
  }

  async #forget(name: string): Promise<void> {
    const file = this.#files.get(name);
    this.#files.delete(name);
    await file?.abort();
  }
}

/** The upload, which gives its place back when it is over. */
function inPlace(upload: Upload, giveBack: GiveBack): Upload {
  return {
    write: (bytes) => upload.write(bytes),
    commit: () => upload.commit().finally(giveBack),
    abort: () => upload.abort().finally(giveBack),
  };
}

function problemOf(head: PacketHead, contentBytes: number, sender: Sender | undefined): Said | undefined {
  const { cipherBytes, number, total, name } = head;
  if (!sender) return said`no key was exchanged on this connection`;
  if (name === undefined || checkName(name) !== undefined) return said`its name is none`;
  if (cipherBytes === 0 || cipherBytes !== contentBytes) return said`a packet has another size than it says`;
  if (number === 0 || number > total) return said`a packet has a number that there is not`;
  return undefined;
}
