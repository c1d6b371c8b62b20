import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { childEnvironment } from '../../../src/config/environment.ts';
import { programRoot } from '../../../src/config/home.ts';
import { startCaptured } from '../../../src/lib/process/captured-process.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** A PATH with an ffmpeg that hangs, and the file where it writes its process ID. */
function hangingFfmpeg(): { path: string; pidFile: string } {
  const folder = temporaryFolder();
  const [bin, pidFile] = [join(folder, 'bin'), join(folder, 'pid')];
  mkdirSync(bin);
  writeFileSync(join(bin, 'ffmpeg'), `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 300\n`);
  chmodSync(join(bin, 'ffmpeg'), 0o755);
  return { path: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, pidFile };
}

function isRunning(pid: number): boolean {
  try {
    // A process that has ended but was not waited for still has a folder.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

test('ffmpeg ends with the process that measures encoding', async () => {
  const { path, pidFile } = hangingFfmpeg();
  const request = JSON.stringify({ kind: 'core', crf: 18, preset: 'medium' });
  const child = startCaptured([process.execPath, join(programRoot, 'dist/trial/measure-entry.js'), request], {
    env: { ...childEnvironment(), PATH: path },
    timeoutMs: 60_000,
  });
  const pid = (): string => (existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : '');
  await expect.poll(pid, { timeout: 30_000 }).toMatch(/^\d+\n/);
  await child.end();
  await expect.poll(() => isRunning(Number(pid())), { timeout: 10_000 }).toBe(false);
});
