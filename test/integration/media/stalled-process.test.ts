import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ChunkReader } from '../../../src/lib/chunk-reader.ts';
import { SupervisedProcess } from '../../../src/lib/process/supervised-process.ts';
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

// libx264 encodes its last frames like this, which takes minutes for 2160p on a machine with much other work.
test('a silent process that uses CPU time is stalled only if CPU time does not count', async () => {
  const compute = (seconds: number): string[] => [
    ...['bash', '-c', `end=$((SECONDS + ${seconds})); while ((SECONDS < end)); do :; done`],
  ];
  const options = { env: { PATH: process.env['PATH'] ?? '' }, stallMs: 1_500, niceness: 0 };
  const counting = new SupervisedProcess(compute(4), { ...options, countsCpuTime: true });
  const other = new SupervisedProcess(compute(600), options);
  expect([(await counting.ended).reason, (await other.ended).reason]).toEqual(['exited', 'stalled']);
}, 60_000);

test('a process that only waits is stalled although CPU time counts', async () => {
  const options = {
    env: { PATH: process.env['PATH'] ?? '' },
    stallMs: 300,
    niceness: 0,
    countsCpuTime: true,
  };
  expect((await new SupervisedProcess(['sleep', '600'], options).ended).reason).toBe('stalled');
});
