import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ChunkReader } from '../../../src/lib/chunk-reader.ts';
import { readFrameHashes } from '../../../src/media/index/frame-hash-lines.ts';
import { FfmpegProcess } from '../../../src/media/ffmpeg/ffmpeg-process.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

// A process that hangs in a driver cannot be killed. Here a child that keeps its pipes open simulates it.
test('a hung process that survives SIGKILL is abandoned together with its pipes', async () => {
  const folder = temporaryFolder();
  const pidFile = join(folder, 'pid');
  writeFileSync(
    join(folder, 'ffmpeg'),
    `#!/bin/sh\nprintf abc\nsetsid sleep 600 &\necho $! > ${pidFile}\nwait\n`,
  );
  chmodSync(join(folder, 'ffmpeg'), 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
  const child = new FfmpegProcess('ffmpeg', [], { purpose: 'testing', stallMs: 500 });
  onTestFinished(() => void process.kill(Number(readFileSync(pidFile, 'utf8'))));
  const pixels = new ChunkReader(child.stdout).readInto(Buffer.alloc(10));
  const hash = readFrameHashes(child.extra).next();
  await expect(child.ended).rejects.toMatchObject({ code: 'FFMPEG_STALLED' });
  expect(await pixels).toBe(3);
  expect(await hash).toMatchObject({ done: true });
  await child.kill();
}, 10_000);
