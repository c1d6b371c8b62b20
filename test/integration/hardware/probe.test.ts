import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { homeAt } from '../../../src/config/home.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import type { HardwareFacts } from '../../../src/hardware/probe/hardware-facts.ts';
import { probeHardware } from '../../../src/hardware/probe/probe.ts';
import { fakeMachine, H200, RTX_4090, type MachineBehaviour } from '../../helpers/fake-machine.ts';
import { processesOf } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** A home on a fake machine with this behaviour. */
function machine(play: MachineBehaviour) {
  const home = homeAt(temporaryFolder());
  mkdirSync(home.stateDir);
  const fake = fakeMachine(temporaryFolder(), play);
  vi.stubEnv('PATH', fake.path);
  const onLongProbe = vi.fn();
  const probe = (again = false): Promise<HardwareFacts> =>
    probeHardware({ home, addonPath: null, again, onLongProbe });
  return { home, fake, probe, onLongProbe };
}

describe('the probe', () => {
  it(
    'counts the sessions of a GPU by opening them, writes the settings, and closes all sessions',
    { tags: ['slow'] },
    async () => {
      const { home, fake, probe } = machine({ gpu: RTX_4090, nvenc: 2, nvdec: 3 });
      const facts = await probe();
      expect(facts.gpus).toEqual([
        {
          name: 'NVIDIA GeForce RTX 4090',
          driver: '550.54',
          computeCapability: '8.9',
          totalBytes: 24564 * 1024 ** 2,
          freeBytes: 23000 * 1024 ** 2,
        },
      ]);
      expect(facts.nvenc.map(({ sessions, bitDepth }) => [sessions, bitDepth])).toEqual([
        [2, 8],
        [2, 8],
        [2, 8],
        [2, 10],
      ]);
      expect(facts.nvenc[0]?.whyNoMore?.code).toBe('sessions-taken');
      expect(facts.nvdec.map(({ sessions }) => sessions)).toEqual([3, 3]);
      expect(facts.ffmpeg?.videoEncoders).toContain('libx264');
      expect(facts.ffmpeg?.videoDecoders).toContain('hevc');
      const count = (event: string): number => fake.events().filter((each) => each.event === event).length;
      expect(count('open')).toBe(count('close'));
      expect(
        Math.max(
          ...fake
            .events()
            .filter(({ use }) => use === 'trial')
            .map(({ open }) => open),
        ),
      ).toBe(2);
      expect(readFileSync(home.detectedFile, 'utf8')).toMatch(
        /sessions: 2 # 2 concurrent sessions of H\.264 1920x1080, 8-bit \(one more fails: all NVENC sessions are in use/,
      );
      const { settings, originsOf } = loadSettings({ home });
      expect(settings.encoder).toMatchObject({ nvenc: true, sessions: 2 });
      expect(originsOf('encoder.sessions')[0]?.reason).toMatch(/^2 concurrent sessions of H\.264/);
    },
  );

  it.each<[string, MachineBehaviour, RegExp]>([
    [
      'a driver that is too old',
      { gpu: RTX_4090, nvenc: 'too old' },
      /the NVIDIA driver is too old for this ffmpeg/,
    ],
    [
      'an H200, which has no encoder',
      { gpu: H200, nvenc: 'no encoder' },
      /the GPU or its driver does not support this/,
    ],
  ])('disables NVENC for %s, with the reason', async (_, play, why) => {
    const { home, probe } = machine(play);
    const facts = await probe();
    expect(facts.nvenc[0]).toMatchObject({
      sessions: 0,
      whyNoMore: { text: expect.stringMatching(why) as string },
    });
    expect(loadSettings({ home }).settings.encoder.nvenc).toBe(false);
    expect(loadSettings({ home }).originsOf('encoder.nvenc')[0]?.reason).toMatch(why);
  });

  it('does not count sessions of another program as a limit of the GPU', async () => {
    const { home, probe } = machine({ gpu: RTX_4090, nvenc: 2, takenByOthers: 2 });
    expect((await probe()).nvenc[0]).toMatchObject({ sessions: 0 });
    expect(loadSettings({ home }).settings.encoder).toMatchObject({ nvenc: true, sessions: 1 });
  });

  it('runs once, and again after a change of the machine or on request', { tags: ['slow'] }, async () => {
    const { probe, onLongProbe } = machine({ gpu: RTX_4090, nvenc: 'too old' });
    const first = await probe();
    expect(await probe()).toEqual(JSON.parse(JSON.stringify(first)));
    expect(onLongProbe).toHaveBeenCalledTimes(1);
    await probe(true);
    expect(onLongProbe).toHaveBeenCalledTimes(2);
    const other = fakeMachine(temporaryFolder(), {
      gpu: RTX_4090.replace('550.54', '560.28'),
      nvenc: 'too old',
    });
    vi.stubEnv('PATH', other.path);
    expect((await probe()).gpus[0]?.driver).toBe('560.28');
    expect(onLongProbe).toHaveBeenCalledTimes(3);
  });

  it('keeps stored facts if the driver does not answer once', { tags: ['slow'] }, async () => {
    const { home, fake, probe, onLongProbe } = machine({ gpu: RTX_4090, nvenc: 2, nvdec: 3 });
    const facts = await probe();
    const written = readFileSync(home.detectedFile, 'utf8');
    writeFileSync(join(fake.folder, 'bin/nvidia-smi'), '#!/bin/sh\nexec sleep 600\n');
    expect(await probe()).toEqual(JSON.parse(JSON.stringify(facts)));
    expect(readFileSync(home.detectedFile, 'utf8')).toBe(written);
    expect(onLongProbe).toHaveBeenCalledTimes(1);
  });

  it(
    'kills a trial that hangs, and counts that as a result',
    { timeout: 40_000, tags: ['slow'] },
    async () => {
      const { probe, home, fake } = machine({ gpu: 'hangs', nvenc: 'hangs' });
      const facts = await probe();
      expect(facts).toMatchObject({
        gpus: [],
        driver: 'silent',
        reason: 'nvidia-smi did not respond within 5 s and was killed',
      });
      expect(facts.nvenc).toMatchObject([{ sessions: 0, whyNoMore: { code: 'driver-silent' } }]);
      expect(loadSettings({ home }).settings.encoder).toMatchObject({ nvenc: true, sessions: 1 });
      expect(processesOf(fake.folder)).toEqual([]);
    },
  );
});
