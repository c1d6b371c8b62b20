import { readdir, readFile, stat } from 'node:fs/promises';

/** The access mode in the flags of an open file: 1 is write-only, 2 is read and write. */
const ACCESS_MODE = 0o3;

/**
 * Pids of the processes that have a file open for writing, by any of its names. Processes of other users are only visible
 * to root, and a writer on another machine is not visible at all. Linux.
 */
export async function writersOf(path: string): Promise<number[]> {
  const { dev, ino } = await stat(path, { bigint: true });
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const writers = await Promise.all(pids.map((pid) => hasOpenForWriting(pid, dev, ino)));
  return pids.filter((_, i) => writers[i] === true).map(Number);
}

/** The first process that has a file open for writing, such as `process 123 (rsync)`; null if there is none. */
export async function describeWriter(path: string): Promise<string | null> {
  const [pid] = await writersOf(path);
  if (pid === undefined) return null;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''); // It has ended meanwhile.
  return name === '' ? `process ${pid}` : `process ${pid} (${name.trim()})`;
}

async function hasOpenForWriting(pid: string, dev: bigint, ino: bigint): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []); // Another user's process, or it has ended.
  for (const descriptor of descriptors) {
    try {
      const opened = await stat(`/proc/${pid}/fd/${descriptor}`, { bigint: true });
      if (opened.dev !== dev || opened.ino !== ino) continue;
      const info = await readFile(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8');
      if ((parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8) & ACCESS_MODE) !== 0) return true;
    } catch {
      // Closed meanwhile: such a descriptor writes no more.
    }
  }
  return false;
}
