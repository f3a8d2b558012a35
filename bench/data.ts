// The data that the cases back up. Everything is made once, from Debian's packages or from fixed seeds, so that two machines
// measure the same bytes.
import { createCipheriv, createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { emptyFolder, warm, work } from "./folders.ts";
import { run } from "./measure.ts";

const MIB = 1024 * 1024;
const SOURCE_ARCHIVE = "/usr/src/linux-source-6.1.tar.xz";

export const SOURCE_TREE = work("data", "source");
export const RANDOM_FILE = work("data", "random", "2g.bin");
export const DISK_IMAGE = work("data", "image", "disk.img");
export const MIXED_FOLDER = work("data", "mixed");
export const USR_LIB = "/usr/lib";

export function missingData(): string | undefined {
  return existsSync(SOURCE_ARCHIVE)
    ? undefined
    : "The source tree is Debian's: apt-get install linux-source-6.1 xz-utils";
}

/** Debian's linux-source-6.1, unpacked: 78,579 files, 1.3 GB. */
export async function prepareSourceTree(): Promise<void> {
  await makeOnce(SOURCE_TREE, async (folder) => {
    await run({ argv: ["tar", "-xf", SOURCE_ARCHIVE, "-C", folder] });
  });
  await warm(SOURCE_TREE);
}

/** 2 GiB that neither compress nor repeat, in one file. */
export async function prepareRandomFile(): Promise<void> {
  await makeOnce(dirname(RANDOM_FILE), async (folder) => {
    const out = createWriteStream(join(folder, "2g.bin"));
    const random = randomSource("random file");
    for (let i = 0; i < 2048; i++) if (!out.write(random(MIB))) await once(out, "drain");
    out.end();
    await once(out, "close");
  });
  await warm(dirname(RANDOM_FILE));
}

/** 1 GiB in one file, by turns a megabyte of text and a random one. */
export async function prepareMixedFile(): Promise<void> {
  await makeOnce(MIXED_FOLDER, async (folder) => {
    const out = createWriteStream(join(folder, "1g.bin"));
    const random = randomSource("mixed file");
    for (let i = 0; i < 1024; i++) {
      if (!out.write(i % 2 === 0 ? text(random) : random(MIB))) await once(out, "drain");
    }
    out.end();
    await once(out, "close");
  });
  await warm(MIXED_FOLDER);
}

const IMAGE_MIB = 4096;
const SPOT_BYTES = 64 * 1024;

/** A 4 GiB disk image, megabyte by megabyte: 40 % never written, 10 % zeros, 30 % text, 20 % random. */
export async function prepareDiskImage(): Promise<void> {
  // Made anew each time: the rounds change it in place.
  await emptyFolder(dirname(DISK_IMAGE));
  const random = randomSource("disk image");
  const file = await open(DISK_IMAGE, "w");
  try {
    await file.truncate(IMAGE_MIB * MIB);
    for (let block = 0; block < IMAGE_MIB; block++) {
      const kind = random(1)[0]! / 256;
      if (kind < 0.4) continue;
      const content = kind < 0.5 ? Buffer.alloc(MIB) : kind < 0.8 ? text(random) : random(MIB);
      await file.write(content, 0, MIB, block * MIB);
    }
  } finally {
    await file.close();
  }
  await warm(dirname(DISK_IMAGE));
}

/** Rewrites 1 % of the disk image in place, in spots of 64 KiB; other spots in each round. */
export async function changeDiskImage(round: number): Promise<void> {
  const random = randomSource(`disk image, round ${round}`);
  const spots = (IMAGE_MIB * MIB) / SPOT_BYTES;
  const file = await open(DISK_IMAGE, "r+");
  try {
    for (let i = 0; i < spots / 100; i++) {
      const spot = random(4).readUInt32LE() % spots;
      const content = i % 2 === 0 ? random(SPOT_BYTES) : text(random).subarray(0, SPOT_BYTES);
      await file.write(content, 0, SPOT_BYTES, spot * SPOT_BYTES);
    }
  } finally {
    await file.close();
  }
}

/** A tree of that many tiny files, 100 in each folder, each one different. Returns its folder. */
export async function prepareTinyFiles(count: number): Promise<string> {
  const tree = work("data", `tiny-${count}`);
  await makeOnce(tree, async (root) => {
    for (let first = 0; first < count; first += 100) {
      const folder = join(root, String(Math.floor(first / 10_000)), String(Math.floor(first / 100) % 100));
      await mkdir(folder, { recursive: true });
      const names = Array.from({ length: Math.min(100, count - first) }, (_, i) => first + i);
      await Promise.all(names.map((n) => writeFile(join(folder, `${n}.txt`), `file ${n} of ${count}\n`)));
    }
  });
  await warm(tree);
  return tree;
}

/** Makes a folder once: it gets its name only when it is whole. */
export async function makeOnce(folder: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.unfinished`;
  await emptyFolder(unfinished);
  await fill(unfinished);
  await rename(unfinished, folder);
}

/** An endless stream of random-looking bytes, the same for the same seed: AES-128-CTR over zeros. */
function randomSource(seed: string): (length: number) => Buffer {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}

const WORDS =
  "the of and to in is that for it as was with be by on not he his but at are this have from or had an".split(" ");
const PHRASES = phrases(4096);

function phrases(count: number): readonly Buffer[] {
  const random = randomSource("phrases");
  const word = () => WORDS[random(1)[0]! % WORDS.length];
  return Array.from({ length: count }, () => Buffer.from(`${word()} ${word()} ${word()} ${word()} `));
}

/** A megabyte of words in random order: compresses like logs or prose, and no long piece of it comes twice. */
function text(random: (length: number) => Buffer): Buffer {
  const numbers = random(MIB / 4);
  const out = Buffer.alloc(MIB + 64);
  let length = 0;
  for (let i = 0; length < MIB; i += 2) {
    const phrase = PHRASES[numbers.readUInt16LE(i) % PHRASES.length]!;
    out.set(phrase, length);
    length += phrase.length;
  }
  return out.subarray(0, MIB);
}
