import { readdir, readFile, stat } from 'node:fs/promises';
import { steadyNowMs } from '../steady-clock.ts';

/** The access mode in the flags of an open file: 1 is write-only, 2 is read and write. */
const ACCESS_MODE = 0o3;
/** Listing the open files of all processes takes about 10 ms, too long for each of ten thousand files. */
const LIST_MAX_AGE_MS = 500;

/** A process for each file that is open for writing; the keys are `device:inode`. */
type WriterList = ReadonlyMap<string, number>;

/** The last list, and when it was made: by the clock of the file system, and by one that nobody can set. */
let latest: {
  readonly atMs: number;
  readonly atSteadyMs: number;
  readonly list: Promise<WriterList>;
} | null = null;

/**
 * A process that has a file open for writing, by any of its names; null if there is none. Processes of other users are only
 * visible to root, and a writer on another machine is not visible at all. Linux.
 */
export async function writerOf(path: string): Promise<number | null> {
  return (await listWriters()).get(await keyOf(path)) ?? null;
}

/** Like `writerOf`, as text, such as `process 123 (rsync)`. */
export async function describeWriter(path: string): Promise<string | null> {
  return describe(await writerOf(path));
}

/** Like `describeWriter`, for many files: a process that opened the file in the last half second may be missed. */
export async function describeRecentWriter(path: string): Promise<string | null> {
  const { ctimeMs } = await stat(path);
  const isUsable =
    latest !== null && steadyNowMs() - latest.atSteadyMs <= LIST_MAX_AGE_MS && ctimeMs < latest.atMs;
  if (!isUsable) latest = { atMs: Date.now(), atSteadyMs: steadyNowMs(), list: listWriters() };
  // It may have closed the file since.
  return (await latest?.list)?.has(await keyOf(path)) === true ? describeWriter(path) : null;
}

async function describe(pid: number | null): Promise<string | null> {
  if (pid === null) return null;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''); // It has ended meanwhile.
  return name === '' ? `process ${pid}` : `process ${pid} (${name.trim()})`;
}

async function keyOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}

async function listWriters(): Promise<WriterList> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const keys = await Promise.all(pids.map(filesWrittenBy));
  return new Map(pids.flatMap((pid, i) => (keys[i] ?? []).map((key) => [key, Number(pid)] as const)));
}

async function filesWrittenBy(pid: string): Promise<string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []); // Another user's process, or it has ended.
  const keys: string[] = [];
  for (const descriptor of descriptors) {
    try {
      const opened = await stat(`/proc/${pid}/fd/${descriptor}`, { bigint: true });
      if (!opened.isFile()) continue;
      const info = await readFile(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8');
      const flags = parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
      if ((flags & ACCESS_MODE) !== 0) keys.push(`${opened.dev}:${opened.ino}`);
    } catch {
      // It has been closed, so nothing is written through it any more.
    }
  }
  return keys;
}
