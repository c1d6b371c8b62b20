import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { fakeMachine, RTX_4090, type MachineBehaviour } from '../helpers/fake-machine.ts';
import { makeHome, readLog, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Simulated hardware decoders. Whatever they do, the frames must be those that the CPU decodes. Prints a table. */
const MACHINES: readonly (readonly [
  name: string,
  behaviour: Partial<MachineBehaviour>,
  flags: readonly string[],
])[] = [
  ['NVDEC works', { nvdec: 12 }, []],
  ['another image from frame 7 on', { nvdec: 12, nvdecFault: { kind: 'another image', at: 7 } }, []],
  ['dies at frame 40 of 90', { nvdec: 12, nvdecFault: { kind: 'dies', at: 40 } }, []],
  ['hangs at frame 40 of 90', { nvdec: 12, nvdecFault: { kind: 'hangs', at: 40 } }, []],
  ['rejects at once, although it is set explicitly', { nvdec: 0 }, ['--set', 'decoder.hardware=[nvdec]']],
  ['rejects, and VAAPI works', { nvdec: 0, vaapi: 1 }, ['--set', 'decoder.hardware=[nvdec, vaapi]']],
];

test('a GPU that decodes wrongly, dies, hangs or rejects costs no frame and no attempt', () => {
  const clip = makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 90 });
  const job = (behaviour: Partial<MachineBehaviour> | null, flags: readonly string[]) => {
    const home = makeHome(temporaryFolder());
    copyFileSync(clip, join(home, 'input/lanczos-2x/clip.mp4'));
    const gpu = { gpu: RTX_4090, nvenc: 'no encoder' } as const;
    const PATH =
      behaviour === null ? {} : { PATH: fakeMachine(temporaryFolder(), { ...gpu, ...behaviour }).path };
    const { status } = run(['start', '--once', '--home', home, ...flags], PATH);
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as { jobs: unknown[] };
    const decoders = [...readLog(home).matchAll(/decoder: (.*)$/gm)].map(([, line = '']) => line);
    return { status, jobs, decoders, frames: frameMd5(join(home, 'output/lanczos-2x/clip.mp4')) };
  };
  const onCpu = job(null, []);
  const rows = MACHINES.map(([name, behaviour, flags]) => {
    const done = job(behaviour, flags);
    expect([name, done.status]).toEqual([name, 0]);
    expect(done.jobs).toMatchObject([{ state: 'done', attempts: 0, history: [] }]);
    expect(done.frames).toEqual(onCpu.frames);
    return [name, `${done.frames.length} of 90 equal`, '0', done.decoders.join(' / ')];
  });
  const header = [
    'machine',
    'frames equal to those of the CPU',
    'attempts used',
    'log lines about the decoder',
  ];
  for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
});
