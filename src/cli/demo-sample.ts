// A small folder of files that are hard to get right, and some changes to it. What the system cannot make is left out.

import { chmod, link, mkdir, open, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

const SPARSE_BYTES = 8 * 2 ** 20;
const LARGE_BYTES = 3 * 2 ** 20;
const SMALL_FILES = 200;

/** Makes the folder; answers how many files it holds. */
export async function makeSample(folder: string): Promise<number> {
  const letters = join(folder, "letters");
  await mkdir(join(letters, "deep", "er", "still"), { recursive: true });
  await mkdir(join(folder, "empty folder"));
  const contents: Readonly<Record<string, string | Uint8Array>> = {
    "empty.txt": "",
    "hello.txt": "Hello!\n",
    "größe – 漢字 – 🗄️.txt": "names are text in any script\n",
    "new\nline.txt": "and may hold line ends\n",
    " leading and trailing ": "or blanks\n",
    "large.bin": patternBytes(LARGE_BYTES, 1),
    "copy of large.bin": patternBytes(LARGE_BYTES, 1),
  };
  let count = 0;
  for (const [name, content] of Object.entries(contents))
    count += await tryTo(() => writeFile(join(folder, name), content));
  for (let i = 0; i < SMALL_FILES; i++) {
    await writeFile(
      join(letters, "deep", "er", "still", `letter ${i}.txt`),
      `Dear reader number ${i},\n`.repeat(i + 1),
    );
    count++;
  }
  count += await tryTo(() => makeSparse(join(folder, "sparse.img")));
  count += await tryTo(() => link(join(folder, "hello.txt"), join(folder, "second name of hello.txt")));
  await tryTo(() => symlink("hello.txt", join(folder, "link to hello")));
  await tryTo(() => symlink("nowhere", join(folder, "link to nowhere")));
  await tryTo(() => chmod(join(folder, "hello.txt"), 0o640));
  await tryTo(() => utimes(join(folder, "hello.txt"), 981_173_106.25, 981_173_106.25));
  return count;
}

export async function changeSample(folder: string): Promise<void> {
  const large = await open(join(folder, "large.bin"), "r+");
  try {
    await large.write(patternBytes(1000, 7), 0, 1000, LARGE_BYTES / 2);
  } finally {
    await large.close();
  }
  await writeFile(join(folder, "added.txt"), "This one is new.\n");
  await rename(join(folder, "letters"), join(folder, "post"));
  await rm(join(folder, "empty.txt"));
  await tryTo(() => chmod(join(folder, "copy of large.bin"), 0o600));
}

/** 1 when it could be done. */
async function tryTo(work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 1;
  } catch {
    return 0;
  }
}

async function makeSparse(path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.write("far into the file\n", SPARSE_BYTES / 2);
    await file.truncate(SPARSE_BYTES);
  } finally {
    await file.close();
  }
}

/** Bytes that do not compress, the same in every run: a xorshift generator (Marsaglia 2003). */
function patternBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}
