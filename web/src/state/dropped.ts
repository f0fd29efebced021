/** What was dropped or pasted: files, those in folders too, or a link. */

/** All files of a drop, in the order of their names; hidden ones stay where they are. */
export async function filesOf(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry());
  const loose = [...data.files];
  if (entries.every((entry) => !entry?.isDirectory)) return loose;
  const found = await Promise.all(entries.filter((entry) => entry !== null).map(within));
  return found
    .flat()
    .filter((file) => !file.name.startsWith("."))
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

async function within(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = entry as FileSystemFileEntry;
    return [await new Promise<File>((resolve, reject) => file.file(resolve, reject))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return found; // a reader gives a hundred at a time
    found.push(...(await Promise.all(some.map(within))).flat());
  }
}

/** The link that was dropped or pasted without a file, if any. */
export function linkOf(data: DataTransfer): string | null {
  if (data.files.length) return null;
  const text = (data.getData("text/uri-list") || data.getData("text/plain")).trim();
  return /^https?:\/\/\S+$/.test(text) ? text : null;
}
