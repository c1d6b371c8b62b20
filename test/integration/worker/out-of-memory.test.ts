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

test('tiles become smaller where memory is short, no frame is lost, and the next job begins with what worked', async () => {
  const { home, enter, doNext } = workshop();
  await enter('first.mp4', CLIP);
  await enter('second.mp4', { ...CLIP, frames: FRAMES + 1 });
  await enter('narrower.mp4', { ...CLIP, width: 600 });

  const tried = engineWithRoomFor(13_000);
  const first = await doNext(tried.engine);
  expect(first.job).toMatchObject({ state: 'done', framesDone: FRAMES });
  expect(failedWidths(tried.runs)).toEqual([640, 352, 278]);
  expect(first.lines).toContain('memory was short on the CPU: from here on in tiles of 149 px');
  expect(frameMd5(join(home.output, 'first.mp4'))).toHaveLength(FRAMES);

  const remembered = engineWithRoomFor(13_000);
  const second = await doNext(remembered.engine);
  expect(second.job).toMatchObject({ state: 'done', plan: { tile: 149 } });
  expect(failedWidths(remembered.runs)).toEqual([]);
  expect(frameMd5(join(home.output, 'second.mp4'))).toHaveLength(FRAMES + 1);

  // What worked for frames of one size says nothing of others.
  const anew = engineWithRoomFor(13_000);
  await doNext(anew.engine);
  expect(anew.runs[0]).toEqual({ width: 600, passed: false });
});

test('a job that is stopped after memory was short goes on as it would have done undisturbed', async () => {
  const through = workshop();
  await through.enter('clip.mp4', CLIP);
  await through.doNext(engineWithRoomFor(13_000).engine);

  const stopped = workshop();
  await stopped.enter('clip.mp4', CLIP);
  const before = engineWithRoomFor(13_000);
  const half = await stopped.doNext(before.engine, /^memory was short/);
  expect(half.job).toMatchObject({ state: 'queued', plan: { tile: 149 } });
  const after = engineWithRoomFor(13_000);
  expect((await stopped.doNext(after.engine)).job?.state).toBe('done');
  expect(failedWidths(after.runs)).toEqual([]);
  const [expected, found] = [through, stopped].map(({ home }) => frameMd5(join(home.output, 'clip.mp4')));
  expect(found).toEqual(expected);
});

/** Plays a card to those who ask nvidia-smi. */
function playCard(gpu: string): void {
  const { path } = fakeMachine(temporaryFolder(), { gpu, nvenc: 'no encoder' });
  vi.stubEnv('PATH', path);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test.each([
  ['an empty card takes whole frames', RTX_4090, null],
  ['a card that others fill takes small tiles', 'NVIDIA GeForce RTX 4090, 550.54, 8.9, 24564, 3500', 32],
  ['a card that does not answer takes tiles of 256 px', 'hangs', 256],
])('the tiles of a GPU follow its free memory: %s', async (_, gpu, gpuTile) => {
  playCard(gpu);
  const { enter, doNext } = workshop();
  await enter('clip.mp4', { ...CLIP, frames: 2, device: 'auto' });
  const { job } = await doNext(engineWithRoomFor(Infinity, 'gpu').engine);
  // Whatever the card has, memory for the CPU is there.
  expect(job).toMatchObject({ state: 'done', plan: { tile: null, gpuTile } });
});

test('what worked on a card is remembered for that card', async () => {
  playCard(RTX_4090);
  const { enter, doNext } = workshop();
  for (const [i, frames] of [2, 3, 4].entries()) await enter(`${i}.mp4`, { ...CLIP, frames, device: 'auto' });
  const short = () => engineWithRoomFor(13_000, 'gpu');
  const first = short();
  expect((await doNext(first.engine)).job).toMatchObject({
    state: 'done',
    plan: { tile: null, gpuTile: 149 },
  });
  expect(failedWidths(first.runs)).toHaveLength(3);
  const second = short();
  expect((await doNext(second.engine)).job?.plan).toMatchObject({ tile: null, gpuTile: 149 });
  expect(failedWidths(second.runs)).toEqual([]);
  playCard('NVIDIA GeForce RTX 3060, 550.54, 8.6, 12288, 12000');
  const other = short();
  await doNext(other.engine);
  expect(failedWidths(other.runs)).toHaveLength(3);
});

test('a job that two workers in a row died of is done in tiles of half the edge', async () => {
  const { queue, enter, doNext } = workshop();
  const { id } = await enter('clip.mp4', CLIP);
  await doNext(engineWithRoomFor(13_000).engine, /^memory was short/);
  expect(queue.jobs.getJob(id)?.plan?.tile).toBe(149);
  const crash = () => {
    const claimed = queue.leases.claim({ owner: 'dead', nowMs: Date.now(), leaseMs: 1 });
    if (claimed === null) throw new TypeError('There is no job.');
    const failure = { code: 'WORKER_CRASHED', message: 'The worker died.', maxTries: 3 };
    // As of long ago, so that nothing waits for the back-off.
    queue.leases.failTry(claimed.lease, { ...failure, nowMs: 0 });
  };
  crash();
  crash();
  const { job, lines } = await doNext(engineWithRoomFor(Infinity).engine);
  expect(job).toMatchObject({ state: 'done', framesDone: FRAMES, plan: { tile: 74 } });
  expect(lines).toContainEqual(expect.stringMatching(/^two workers died .* tiles of 74 px$/));
});
