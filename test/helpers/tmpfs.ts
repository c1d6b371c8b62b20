import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Whether mounting a tmpfs is permitted, which it is not in most containers and for most users. */
export function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-test-'));
  try {
    return spawnSync('mount', ['-t', 'tmpfs', 'framekiln-test', folder]).status === 0;
  } finally {
    spawnSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  }
}

/** Mounts a tmpfs until the test is over. @param options for `mount -o` */
export function mountTmpfs(path: string, options: string): { remount: (how: string) => void } {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'framekiln-test', path], { stdio: 'ignore' });
  onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
  return { remount: (how) => remount(path, how) };
}

export function remount(path: string, how: string): void {
  execFileSync('mount', ['-o', `remount,${how}`, path], { stdio: 'ignore' });
}

/** Uses all free space, as another program would. @returns a function that frees it again */
export function fillUp(folder: string): () => void {
  const path = join(folder, 'filler');
  for (let bytes = 1 << 20; bytes >= 1;) {
    try {
      writeFileSync(path, Buffer.alloc(bytes, 1), { flag: 'a' });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      bytes >>= 1;
    }
  }
  return () => rmSync(path);
}
