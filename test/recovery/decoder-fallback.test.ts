import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { fakeMachine, RTX_4090, type MachineBehaviour } from '../helpers/fake-machine.ts';
import { makeHome, readLog, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const GPU = { gpu: RTX_4090, nvenc: 'no encoder' } as const;

/** Runs one job on a simulated machine. */
function runJobOn(clip: string, behaviour: Partial<MachineBehaviour>) {
  const home = makeHome(temporaryFolder());
  copyFileSync(clip, join(home, 'input/lanczos-2x/clip.mp4'));
  const { path } = fakeMachine(temporaryFolder(), { ...GPU, ...behaviour });
  const { status } = run(['start', '--once', '--home', home], { PATH: path });
  expect(status).toBe(0);
  const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: unknown[];
  };
  expect(jobs).toMatchObject([{ state: 'done', attempts: 0, history: [] }]);
  return { log: readLog(home), frames: frameMd5(join(home, 'output/lanczos-2x/clip.mp4')) };
}

test(
  'when NVDEC fails in mid-job the CPU decodes from the same frame on, and no attempt is used',
  { tags: ['slow'] },
  () => {
    const clip = makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 90 });
    const onCpu = runJobOn(clip, { nvdec: 0 });
    expect(onCpu.frames).toHaveLength(90);
    expect(onCpu.log).not.toContain('decoder:');
    const gpu = runJobOn(clip, { nvdec: 2, nvdecFault: { kind: 'dies', at: 40 } });
    expect(gpu.frames).toEqual(onCpu.frames);
    const lines = gpu.log.split('\n').filter((line) => line.includes('decoder: '));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/decoder: NVDEC \(first frame matches the CPU decoder/);
    expect(lines[1]).toMatch(/decoder: CPU from frame 40 on: NVDEC failed \(CUDA error/);
  },
);
