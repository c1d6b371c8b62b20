import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { fakeMachine, H200, RTX_4090, type MachineBehaviour } from '../helpers/fake-machine.ts';
import { makeHome, readLog, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/**
 * Simulated machines for four concurrent jobs. Whatever the GPU does, every job must complete, and every session that
 * was opened must be closed. Prints a table.
 */
const MACHINES: readonly (readonly [name: string, behaviour: MachineBehaviour, takenAfterProbe: number])[] = [
  ['RTX 4090, 2 sessions', { gpu: RTX_4090, nvenc: 2, nvdec: 4 }, 0],
  ['RTX 4090, both taken by others', { gpu: RTX_4090, nvenc: 2, nvdec: 4, takenByOthers: 2 }, 0],
  ['RTX 4090, one taken after the probe', { gpu: RTX_4090, nvenc: 2, nvdec: 4 }, 1],
  ['RTX 4090, reset in mid-job', { gpu: RTX_4090, nvenc: 2, nvdec: 4, goodSegments: 3 }, 0],
  ['driver too old', { gpu: RTX_4090, nvenc: 'too old', nvdec: 4 }, 0],
  ['H200, no NVENC', { gpu: H200, nvenc: 'no encoder', nvdec: 4 }, 0],
  ['nvidia-smi and NVENC hang', { gpu: 'hangs', nvenc: 'hangs' }, 0],
];
interface Tally {
  readonly opened: number;
  readonly closed: number;
  readonly rejected: number;
  readonly most: number;
}

function tally(events: readonly { readonly event: string; readonly open: number }[]): Tally {
  const count = (...kinds: string[]): number => events.filter(({ event }) => kinds.includes(event)).length;
  const most = Math.max(0, ...events.map(({ open }) => open));
  return { opened: count('open'), closed: count('close', 'break'), rejected: count('reject'), most };
}

function described({ opened, closed, rejected, most }: Tally): string {
  return `${opened} opened, ${closed} closed, ${rejected} rejected, ${most} at once`;
}

const CLIPS = ['a', 'b', 'c', 'd'];
const FRAMES = 60;

test('four concurrent jobs complete on every machine, and every session is closed', () => {
  const rows: string[][] = [];
  for (const [name, behaviour, takenAfterProbe] of MACHINES) {
    const home = makeHome(temporaryFolder());
    for (const [i, clip] of CLIPS.entries())
      makeClip(join(home, `input/lanczos-2x/${clip}.mp4`), { frames: FRAMES, filter: `hue=h=${40 * i}` });
    const gpu = fakeMachine(temporaryFolder(), behaviour);
    run(['doctor', '--home', home], { PATH: gpu.path }); // The probe.
    gpu.setTakenByOthers((behaviour.takenByOthers ?? 0) + takenAfterProbe);
    const probed = gpu.events().length;
    const from = performance.now();
    const { status } = run(['start', '--once', '--home', home, '--set', 'streams.max=4'], {
      PATH: gpu.path,
    });
    const seconds = (performance.now() - from) / 1000;
    const done = CLIPS.filter((clip) => {
      const path = join(home, `output/lanczos-2x/${clip}.mp4`);
      return existsSync(path) && frameMd5(path).length === FRAMES;
    });
    const events = gpu.events().slice(probed);
    const encodes = (use: string): boolean => use === 'trial' || use === 'segment';
    const nvenc = tally(events.filter(({ use }) => encodes(use)));
    const nvdec = tally(events.filter(({ use }) => !encodes(use)));
    const detected = readFileSync(join(home, '.framekiln/detected.yaml'), 'utf8');
    const settings = [...detected.matchAll(/^ +(\w+: \S+ #.*)$/gm)].map(([, line]) => line);
    const encoders = [...readLog(home).matchAll(/encoding on (the .*)$/gm)].map(([, line = '']) => line);
    rows.push([
      name,
      settings.join('; ') || 'nothing',
      described(nvenc),
      described(nvdec),
      `${done.length} of ${CLIPS.length}`,
      seconds.toFixed(0),
      [...new Set(encoders)].join(' / '),
    ]);
    expect([name, status, done]).toEqual([name, 0, CLIPS]);
    for (const { opened, closed } of [nvenc, nvdec]) expect([name, closed]).toEqual([name, opened]);
  }
  const header = ['machine', 'detected', 'NVENC', 'NVDEC', 'jobs done', 's', 'encoders'];
  for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
});
