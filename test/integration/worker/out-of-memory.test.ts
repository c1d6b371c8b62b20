import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { frameMd5 } from '../../helpers/clips.ts';
import { engineWithRoomFor, failedWidths } from '../../helpers/engine-with-room.ts';
import { fakeMachine, RTX_4090 } from '../../helpers/fake-machine.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { workshop } from '../../helpers/workshop.ts';

const WIDTH = 640;
const FRAMES = 8;
const CLIP = { frames: FRAMES, width: WIDTH, height: 48 };

test('tiles become smaller where memory is short, and no frame is lost', async () => {
  const { home, enter, doNext } = workshop();
  await enter('first.mp4', CLIP);

  const tried = engineWithRoomFor(13_000);
  const first = await doNext(tried.engine);
  expect(first.job).toMatchObject({ state: 'done', framesDone: FRAMES });
  expect(failedWidths(tried.runs)).toEqual([640, 352, 278]);
  expect(first.lines).toContain('CPU out of memory; tile size reduced to 149 px');
  expect(frameMd5(join(home.output, 'first.mp4'))).toHaveLength(FRAMES);
});

test('a job that is stopped after its tile size was reduced resumes as an undisturbed one would have continued', async () => {
  const through = workshop();
  await through.enter('clip.mp4', CLIP);
  await through.doNext(engineWithRoomFor(13_000).engine);

  const stopped = workshop();
  await stopped.enter('clip.mp4', CLIP);
  const before = engineWithRoomFor(13_000);
  const half = await stopped.doNext(before.engine, /^CPU out of memory/);
  expect(half.job).toMatchObject({ state: 'queued', plan: { tile: 149 } });
  const after = engineWithRoomFor(13_000);
  expect((await stopped.doNext(after.engine)).job?.state).toBe('done');
  expect(failedWidths(after.runs)).toEqual([]);
  const [expected, found] = [through, stopped].map(({ home }) => frameMd5(join(home.output, 'clip.mp4')));
  expect(found).toEqual(expected);
});

/** Plays a GPU to those who ask nvidia-smi. */
function playGpu(gpu: string): void {
  const { path } = fakeMachine(temporaryFolder(), { gpu, nvenc: 'no encoder' });
  vi.stubEnv('PATH', path);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test.each([
  ['an empty GPU takes whole frames', RTX_4090, null],
  ['a GPU that others fill takes small tiles', 'NVIDIA GeForce RTX 4090, 550.54, 8.9, 24564, 3500', 32],
  ['a GPU that does not answer takes tiles of 256 px', 'hangs', 256],
])('the tiles of a GPU follow its free memory: %s', async (_, gpu, gpuTile) => {
  playGpu(gpu);
  const { enter, doNext } = workshop();
  await enter('clip.mp4', { ...CLIP, frames: 2, device: 'auto' });
  const { job } = await doNext(engineWithRoomFor(Infinity, 'gpu').engine);
  // Whatever the GPU has, memory for the CPU is there.
  expect(job).toMatchObject({ state: 'done', plan: { tile: null, gpuTile } });
});

test('a job that two workers in a row died of is done in tiles of half the edge', async () => {
  const { queue, enter, doNext } = workshop();
  const { id } = await enter('clip.mp4', CLIP);
  await doNext(engineWithRoomFor(13_000).engine, /^CPU out of memory/);
  expect(queue.jobs.getJob(id)?.plan?.tile).toBe(149);
  const crash = () => {
    const claimed = queue.leases.claim({ owner: 'dead', nowMs: Date.now(), leaseMs: 1 });
    if (claimed === null) throw new TypeError('There is no job.');
    const failure = { code: 'WORKER_CRASHED', message: 'The worker died.', maxAttempts: 3 };
    // As of long ago, so that nothing waits for the back-off.
    queue.leases.failAttempt(claimed.lease, { ...failure, nowMs: 0 });
  };
  crash();
  crash();
  const { job, lines } = await doNext(engineWithRoomFor(Infinity).engine);
  expect(job).toMatchObject({ state: 'done', framesDone: FRAMES, plan: { tile: 74 } });
  expect(lines).toContainEqual(expect.stringMatching(/^two workers crashed .* reduced to 74 px$/));
});
