import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder. It is removed when the test is over, as is what a killed worker left mounted in it. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'framekiln-test-'));
  onTestFinished(() => {
    for (const mount of mountsBelow(path)) execFileSync('umount', ['--lazy', mount]);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** Mount points in a folder, deepest first. */
function mountsBelow(path: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((mount) => mount.startsWith(`${path}/`))
    .reverse();
}
