// What a person chose to back up. A handle (File System Access API) can be kept and asked again after a reload; files that were only
// dropped or picked are there once.

/** `name` is what it is called below the root of the snapshot. */
export type ChosenHandle = { readonly name: string; readonly handle: FileSystemDirectoryHandle | FileSystemFileHandle };

/** `path`: names below `name`, joined by "/"; empty for a file that was chosen by itself. */
export type ChosenFile = { readonly path: string; readonly file: File };

export type ChosenFiles = { readonly name: string; readonly files: readonly ChosenFile[] };

export type Chosen = ChosenHandle | ChosenFiles;

export function isHandle(chosen: Chosen): chosen is ChosenHandle {
  return "handle" in chosen;
}

/** Adds what was chosen now to what was before. What is the same replaces; another thing of the same name gets a number. */
export async function addChosen(before: readonly Chosen[], added: readonly Chosen[]): Promise<Chosen[]> {
  const all = [...before];
  for (const one of added) {
    const same = await findSame(all, one);
    if (same >= 0) all[same] = { ...one, name: all[same]!.name };
    else all.push({ ...one, name: freeName(one.name, new Set(all.map(({ name }) => name))) });
  }
  return all;
}

async function findSame(all: readonly Chosen[], one: Chosen): Promise<number> {
  if (!isHandle(one)) return all.findIndex((other) => !isHandle(other) && other.name === one.name);
  for (const [i, other] of all.entries()) {
    if (isHandle(other) && (await other.handle.isSameEntry(one.handle))) return i;
  }
  return -1;
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let n = 2; ; n++) {
    const dot = name.lastIndexOf(".");
    const tried = dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`;
    if (!taken.has(tried)) return tried;
  }
}

/** Files of `<input webkitdirectory>` and of plain file inputs, by the folder that each was chosen with. */
export function chosenOfInput(files: Iterable<File>): ChosenFiles[] {
  const folders = new Map<string, ChosenFile[]>();
  for (const file of files) {
    const [top = file.name, ...below] = (file.webkitRelativePath || file.name).split("/");
    const listed = folders.get(top);
    const one: ChosenFile = { path: below.join("/"), file };
    if (listed) listed.push(one);
    else folders.set(top, [one]);
  }
  return [...folders].map(([name, listed]) => ({ name, files: listed }));
}
