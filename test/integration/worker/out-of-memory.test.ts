import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { frameMd5 } from '../../helpers/clips.ts';
import { engineWithRoomFor, failedWidths } from '../../helpers/engine-with-room.ts';
import { fakeMachine, RTX_4090 } from '../../helpers/fake-machine.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { inProcessWorker } from '../../helpers/in-process-worker.ts';

const WIDTH = 640;
const FRAMES = 8;
const CLIP = { frames: FRAMES, width: WIDTH, height: 48 };

test('when memory runs out tiles become smaller, and no frame is lost', async () => {
  const { home, addJob, runNextJob } = inProcessWorker();
  await addJob('first.mp4', CLIP);

  const tried = engineWithRoomFor(13_000);
  const first = await runNextJob(tried.engine);
  expect(first.job).toMatchObject({ state: 'done', framesDone: FRAMES });
  expect(failedWidths(tried.runs)).toEqual([640, 352, 278]);
  expect(first.lines).toContain('out of memory; tile size reduced to 149 px');
  expect(frameMd5(join(home.output, 'first.mp4'))).toHaveLength(FRAMES);
});

test(
  'a job that was stopped after its tile size was reduced resumes with the smaller tiles',
  { tags: ['slow'] },
  async () => {
    const through = inProcessWorker();
    await through.addJob('clip.mp4', CLIP);
    await through.runNextJob(engineWithRoomFor(13_000).engine);

    const stopped = inProcessWorker();
    await stopped.addJob('clip.mp4', CLIP);
    const before = engineWithRoomFor(13_000);
    const half = await stopped.runNextJob(before.engine, /^out of memory/);
    expect(half.job).toMatchObject({ state: 'queued', plan: { tile: 149 } });
    const after = engineWithRoomFor(13_000);
    expect((await stopped.runNextJob(after.engine)).job?.state).toBe('done');
    expect(failedWidths(after.runs)).toEqual([]);
    const [expected, found] = [through, stopped].map(({ home }) => frameMd5(join(home.output, 'clip.mp4')));
    expect(found).toEqual(expected);
  },
);

/** Puts an nvidia-smi on PATH that reports this GPU. */
function simulateGpu(gpu: string): void {
  const { path } = fakeMachine(temporaryFolder(), { gpu, nvenc: 'no encoder' });
  vi.stubEnv('PATH', path);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test.each([
  ['an idle GPU gets whole frames', RTX_4090, null],
  [
    'a GPU that other programs fill gets small tiles',
    'NVIDIA GeForce RTX 4090, 550.54, 8.9, 24564, 3500',
    32,
  ],
  ['a GPU that does not answer gets tiles of 256 px', 'hangs', 256],
])(
  'the size of tiles depends on the free memory of the GPU: %s',
  { tags: ['slow'] },
  async (_, gpu, gpuTile) => {
    simulateGpu(gpu);
    const { addJob, runNextJob } = inProcessWorker();
    await addJob('clip.mp4', { ...CLIP, frames: 2, device: 'auto' });
    const { job } = await runNextJob(engineWithRoomFor(Infinity, 'gpu').engine);
    expect(job?.state).toBe('done');
    // The memory of the GPU does not matter to tiles on the CPU.
    expect(job?.plan?.tile).toBeNull();
    // With our kernels installed, they have tiles of their own.
    expect((job?.plan?.otherGpuTile === undefined ? job?.plan?.gpuTile : job.plan.otherGpuTile) ?? null).toBe(
      gpuTile,
    );
  },
);

test('after two workers in a row died of a job it runs with tiles of half the edge', async () => {
  const { queue, addJob, runNextJob } = inProcessWorker();
  const { id } = await addJob('clip.mp4', CLIP);
  await runNextJob(engineWithRoomFor(13_000).engine, /^out of memory/);
  expect(queue.jobs.getJob(id)?.plan?.tile).toBe(149);
  const crash = () => {
    const claimed = queue.leases.claim({ owner: 'dead', nowMs: Date.now(), leaseMs: 1 });
    if (claimed === null) throw new TypeError('There is no job.');
    const failure = { code: 'WORKER_CRASHED', message: 'The worker died.', maxAttempts: 3 };
    // At time 0, so that the back-off is over.
    queue.leases.failAttempt(claimed.lease, { ...failure, nowMs: 0 });
  };
  crash();
  crash();
  const { job, lines } = await runNextJob(engineWithRoomFor(Infinity).engine);
  expect(job).toMatchObject({ state: 'done', framesDone: FRAMES, plan: { tile: 74 } });
  expect(lines).toContainEqual(expect.stringMatching(/^the worker crashed again .* reduced to 74 px$/));
});
