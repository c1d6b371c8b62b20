import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Whether an exFAT file system can be mounted: as root, with loop devices, exfatprogs and exfat-fuse or the kernel's driver. */
export function mayMountExfat(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-test-'));
  try {
    mount(folder, join(folder, 'mounted'))();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Mounts a new exFAT file system of 64 MB until the test is over: no hard links, no `:` in names, no case in names. */
export function mountExfat(imageFolder: string, path: string): void {
  onTestFinished(mount(imageFolder, path));
}

function mount(imageFolder: string, path: string): () => void {
  const image = join(imageFolder, 'exfat.img');
  writeFileSync(image, '');
  truncateSync(image, 64 << 20);
  const quiet = { stdio: 'pipe', encoding: 'utf8' } as const;
  execFileSync('mkfs.exfat', [image], quiet);
  const device = execFileSync('losetup', ['--find', '--show', image], quiet).trim();
  const detach = (): void => void spawnSync('losetup', ['--detach', device]);
  mkdirSync(path, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'exfat', device, path], quiet);
  } catch {
    try {
      execFileSync('mount.exfat-fuse', [device, path], quiet);
    } catch (error) {
      detach();
      throw error;
    }
  }
  return () => {
    spawnSync('umount', ['--lazy', path]);
    detach();
  };
}
