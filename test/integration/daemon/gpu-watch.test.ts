import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GpuWatch, type GpuLimits } from '../../../src/daemon/gpu-watch.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const OURS = 4711;
const LIMITS: GpuLimits = { gpuBusyPercent: 30, gpuHottestCelsius: 90 };

afterEach(() => vi.unstubAllEnvs());

interface Scene {
  readonly celsius?: number;
  /** GPU utilisation in percent by program name; `ours` is our own process. */
  readonly shares?: Readonly<Record<string, number | '-'>>;
  readonly exitCode?: number;
}

/** Creates a GpuWatch and an nvidia-smi script that prints a scene; `look` sets the scene and checks ten seconds later. */
function watch(limits = LIMITS) {
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin);
  const [heat, processes, calls] = ['heat', 'processes', 'calls'].map((name) => join(bin, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(calls, '');
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env['PATH'] ?? ''}`);
  const show = ({ celsius = 60, shares = { ours: 60 }, exitCode = 0 }: Scene): void => {
    writeFileSync(heat, `${celsius}\n`);
    const rows = Object.entries(shares).map(
      ([name, share], index) => `    0 ${name === 'ours' ? OURS : 100 + index} C ${share} 1 - - ${name}`,
    );
    writeFileSync(processes, ['# gpu pid type sm mem enc dec command', ...rows, ''].join('\n'));
    writeFileSync(
      join(bin, 'nvidia-smi'),
      `#!/bin/sh\necho "$1" >> ${calls}\n[ "$1" = pmon ] && cat ${processes} || cat ${heat}\nexit ${exitCode}\n`,
    );
    chmodSync(join(bin, 'nvidia-smi'), 0o755);
  };
  let nowMs = 0;
  const notes: string[] = [];
  const gpu = new GpuWatch({
    isOurs: (pid) => pid === OURS,
    onNote: (note) => notes.push(note),
    now: () => nowMs,
  });
  const look = async (scene: Scene, isWorking = true): Promise<string | null> => {
    show(scene);
    nowMs += 10_000;
    gpu.reason(limits, isWorking);
    await gpu.settled();
    return gpu.reason(limits, isWorking);
  };
  return { look, notes, calls: () => readFileSync(calls, 'utf8').split('\n').length - 1 };
}

describe('a GPU that another program uses', () => {
  const game = { shares: { ours: 40, 'a game': 55 } };

  it('pauses work after two checks, and no longer after three calm ones', async () => {
    const { look } = watch();
    expect(await look(game)).toBeNull();
    expect(await look(game)).toBe('another program is using the GPU (a game, 55 %)');
    expect(await look({ shares: { 'a game': 90 } }, false)).toBe(
      'another program is using the GPU (a game, 55 %)',
    );
    expect(await look({ shares: {} }, false)).not.toBeNull();
    expect(await look({ shares: {} }, false)).not.toBeNull();
    expect(await look({ shares: {} }, false)).toBeNull();
  });

  it('does not pause work when the load is short, or small as that of a desktop', async () => {
    const { look } = watch();
    for (const scene of [
      game,
      {},
      game,
      {},
      { shares: { ours: 90, Xorg: 29 } },
      { shares: { ours: 90, Xorg: 29 } },
    ])
      expect(await look(scene)).toBeNull();
  });

  it('does not pause work while no process of ours is on it, or where the driver reports no utilisation', async () => {
    const { look } = watch();
    for (const shares of [
      { 'a game': 90 },
      { 'a game': 90 },
      { ours: '-', game: '-' },
      { ours: '-', game: '-' },
    ] as const)
      expect(await look({ shares })).toBeNull();
  });
});

describe('a GPU that is too hot', () => {
  it('pauses work at once until it has cooled down by ten degrees', async () => {
    const { look } = watch();
    expect(await look({ celsius: 89 })).toBeNull();
    expect(await look({ celsius: 91 })).toBe(
      'GPU temperature reached 91 °C (limit: 90 °C; resumes below 80 °C)',
    );
    for (const celsius of [85, 81, 79, 79]) expect(await look({ celsius }, false)).not.toBeNull();
    expect(await look({ celsius: 79 }, false)).toBeNull();
    expect(await look({ celsius: 85 })).toBeNull();
  });

  it('is ignored where the limits are 0: nvidia-smi is not run', async () => {
    const { look, calls } = watch({ gpuBusyPercent: 0, gpuHottestCelsius: 0 });
    expect(await look({ celsius: 99, shares: { ours: 1, game: 99 } })).toBeNull();
    expect(calls()).toBe(0);
  });
});

describe('nvidia-smi', () => {
  it('runs only while work is in progress, and at most every ten seconds', async () => {
    const { look, calls } = watch();
    await look({}, false);
    expect(calls()).toBe(0);
    await look({});
    expect(calls()).toBe(2);
  });

  it('that fails is logged once, not run again for a minute, and does not pause work', async () => {
    const { look, notes, calls } = watch();
    for (let looks = 0; looks < 6; looks++) expect(await look({ exitCode: 9 })).toBeNull();
    expect(notes).toEqual([
      'nvidia-smi failed or did not respond; cannot check the GPU temperature or whether other programs are using the GPU',
    ]);
    expect(calls()).toBe(1);
  });

  it('that is not installed neither pauses work nor is logged', async () => {
    const { look, notes } = watch();
    vi.stubEnv('PATH', temporaryFolder());
    expect(await look({})).toBeNull();
    expect(await look({})).toBeNull();
    expect(notes).toEqual([]);
  });

  it('that disappears while work is paused, as in an update, lets work resume', async () => {
    const { look } = watch();
    expect(await look({ celsius: 95 })).not.toBeNull();
    vi.stubEnv('PATH', temporaryFolder());
    const reasons: (string | null)[] = [];
    for (let looks = 0; looks < 20; looks++) reasons.push(await look({}, false));
    expect(reasons.at(-1)).toBeNull();
  });
});
