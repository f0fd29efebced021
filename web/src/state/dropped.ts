/** The files of a drop, those in folders too. */

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
