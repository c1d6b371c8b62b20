import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import type { Engine } from '../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { writeFrames } from '../../../src/job/batches/decode-stage.ts';
import { frameMd5 } from '../../helpers/clips.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { inProcessWorker } from '../../helpers/in-process-worker.ts';

const CLIP = { frames: 24, width: 320, height: 96 };

/** Mounts a tmpfs of this size; null where mounting is not permitted. */
function smallTmpfs(bytes: number): string | null {
  const path = join(temporaryFolder(), 'small');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'framekiln-test', path], {
      stdio: 'ignore',
    });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
  return path;
}

/** Uses all free space except `bytes`, as another program would. */
function fillBut(folder: string, bytes: number): string {
  const { bavail, bsize } = statfsSync(folder);
  const path = join(folder, 'of-another-program');
  writeFileSync(path, Buffer.alloc(Math.max(0, bavail * bsize - bytes), 1));
  return path;
}

/** The real engine, with a callback before its first frame. */
function engineWithCallback(beforeFirstFrame: () => void): Engine {
  const real = createOnnxEngine('cpu');
  let isFirst = true;
  return {
    ...real,
    async load(onnx, options) {
      const model = await real.load(onnx, options);
      return {
        dispose: () => model.dispose(),
        run(input) {
          // The trial run is tiny and does not count.
          if (isFirst && input.shape[3] > 16) {
            isFirst = false;
            beforeFirstFrame();
          }
          return model.run(input);
        },
      };
    },
  };
}

test(
  'a job loses no frame when another program fills the RAM disk in the middle of a batch',
  { tags: ['slow'] },
  async ({ skip }) => {
    if (smallTmpfs(1e6) === null) skip('mounting a tmpfs is not permitted here');
    const undisturbed = inProcessWorker();
    await undisturbed.addJob('clip.mp4', CLIP);
    await undisturbed.runNextJob(createOnnxEngine('cpu'));

    const workspace = { ...SAFE_DEFAULTS.workspace, kind: 'mount', memoryFraction: 0.003 } as const;
    const { home, addJob, runNextJob } = inProcessWorker({ workspace });
    await addJob('clip.mp4', CLIP);
    const engine = engineWithCallback(() => {
      const [disk = ''] = readdirSync(join(home.stateDir, 'ram'));
      // An output frame has 1.5 MB, three times the space that is left.
      fillBut(join(home.stateDir, 'ram', disk), 500_000);
    });
    const { job, lines } = await runNextJob(engine);
    expect(job).toMatchObject({ state: 'done', framesDone: CLIP.frames });
    expect(lines).toContainEqual(
      expect.stringMatching(/^(not enough space on the RAM disk|\/.* is full).*; writing frames to/),
    );
    expect(existsSync(join(home.jobsDir, '1'))).toBe(false);
    const [expected, found] = [undisturbed.home, home].map(({ output }) =>
      frameMd5(join(output, 'clip.mp4')),
    );
    expect(found).toEqual(expected);
  },
);

test('when decoded frames no longer fit, decoding continues in another folder with complete frames', async ({
  skip,
}) => {
  const small = smallTmpfs(1e6);
  if (small === null) return skip('mounting a tmpfs is not permitted here');
  fillBut(small, 250_000);
  const elsewhere = join(temporaryFolder(), 'frames');
  const frame = Buffer.alloc(100_000);
  let count = 0;
  const decoder = {
    read: (target: Buffer) => {
      target.fill(count++);
      return Promise.resolve();
    },
  };
  const moveOn = () => {
    // Only a part of the third frame was written, which does not count.
    const there = readFileSync(join(small, 'frames'));
    expect(there.length).toBeGreaterThan(200_000);
    writeFileSync(elsewhere, there);
    rmSync(join(small, 'frames'));
    return Promise.resolve(elsewhere);
  };
  expect(await writeFrames(decoder, 5, join(small, 'frames'), frame, moveOn)).toBe(elsewhere);
  const found = readFileSync(elsewhere);
  expect(found.equals(Buffer.concat([0, 1, 2, 3, 4].map((value) => Buffer.alloc(100_000, value))))).toBe(
    true,
  );
});

test('when there is no space in any folder, decoding fails and leaves no incomplete batch', async ({
  skip,
}) => {
  const small = smallTmpfs(1e6);
  if (small === null) return skip('mounting a tmpfs is not permitted here');
  fillBut(small, 250_000);
  const path = join(small, 'frames');
  const decoding = writeFrames(
    { read: () => Promise.resolve() },
    ...([5, path, Buffer.alloc(100_000), () => Promise.resolve(null)] as const),
  );
  await expect(decoding).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(readFileSync(path)).toHaveLength(0);
});
