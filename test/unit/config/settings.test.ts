import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, test, vi } from 'vitest';
import { homeAt, type Home } from '../../../src/config/home.ts';
import { keepValidSettings } from '../../../src/config/keep-valid-settings.ts';
import { LiveSettings } from '../../../src/config/live-settings.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

let home: Home;
beforeEach(() => {
  home = homeAt(temporaryFolder());
  mkdirSync(home.stateDir);
});

/** Settings with this text in framekiln.yaml. */
function written(text: string) {
  writeFileSync(home.configFile, text);
  return loadSettings({ home });
}

describe('framekiln.yaml', () => {
  it('may be missing or empty', () => {
    expect(loadSettings({ home })).toMatchObject({ settings: SAFE_DEFAULTS, faults: [] });
    expect(written('# nothing\n')).toMatchObject({ settings: SAFE_DEFAULTS, faults: [] });
  });

  it('may have groups whose keys are all commented out', () => {
    expect(written('encoder:\n  # crf: 20\nbatch:\n')).toMatchObject({ settings: SAFE_DEFAULTS, faults: [] });
  });

  it('overrides defaults, and recipes are completed', () => {
    const { settings, faults } = written(
      'recipe: { preset: pro, model: lanczos }\nintake:\n  folders:\n    old: { scale: 3 }\nencoder: { crf: 20 }\n',
    );
    expect(faults).toEqual([]);
    expect(settings.recipe).toMatchObject({
      pipeline: 'upscale',
      model: 'lanczos',
      scale: 4,
      device: 'gpu',
    });
    expect(settings.intake.folders['old']).toMatchObject({ model: 'lanczos', scale: 3, device: 'gpu' });
    expect(settings.encoder).toMatchObject({ crf: 20, preset: 'medium' });
  });
});

describe('a faulty file', () => {
  it('is ignored, and all faults are reported with their lines and the nearest valid key', () => {
    const { settings, faults } = written(
      [
        'encodr: { crf: 20 }',
        'encoder:',
        '  crf: 99',
        '  presett: slow',
        'attempts: many',
        'settleSeconds: 3',
        'intake: { folders: { a: { scal: 2 } } }',
      ].join('\n'),
    );
    expect(settings).toEqual(SAFE_DEFAULTS);
    for (const part of [
      /line 1: unknown key encodr \(did you mean encoder\?\)/,
      /line 3: encoder\.crf: .*51/,
      /line 4: unknown key encoder\.presett \(did you mean preset\?\)/,
      /line 5: attempts: .*number/,
      /line 6: unknown key settleSeconds \(did you mean intake\.settleSeconds\?\)/,
      /line 7: unknown key intake\.folders\.a\.scal \(did you mean scale\?\)/,
      /framekiln\.yaml has 6 errors and is ignored; detected values and defaults apply/,
    ])
      expect(faults).toContainEqual(expect.stringMatching(part));
    expect(faults).toHaveLength(7);
  });

  it.each([
    ['broken YAML', 'encoder: {\n  crf: 1\n', /line \d/],
    ['an alias without its anchor', 'attempts: *three\n', /alias/i],
    ['text instead of groups', 'hello\n', /expected groups of settings/],
    ['a duplicate key', 'attempts: 2\nattempts: 3\n', /line 2: Map keys must be unique/],
    [
      'a wrong type in a recipe',
      'intake: { folders: { a: { scale: big } } }\n',
      /line 1: intake\.folders\.a\.scale/,
    ],
  ])('is reported for %s', (_, text, fault) => {
    const { settings, faults } = written(text);
    expect(settings).toEqual(SAFE_DEFAULTS);
    expect(faults[0]).toMatch(fault);
  });

  it('may be a folder, which is reported', () => {
    mkdirSync(home.configFile);
    expect(loadSettings({ home }).faults[0]).toMatch(/cannot be read \(EISDIR\)/);
  });
});

describe('levels of settings', () => {
  const DETECTED = 'encoder:\n  crf: 23 # three trials agreed\n  preset: fast # slow machine\n';

  it('override each other key by key, and the origin of each value is known', () => {
    writeFileSync(home.detectedFile, DETECTED);
    writeFileSync(home.configFile, '# mine\nencoder:\n  crf: 20\n');
    vi.stubEnv('FRAMEKILN_BATCH_FIRST_FRAMES', '7');
    const { settings, originsOf, faults } = loadSettings({ home, flags: ['attempts=5'] });
    expect(faults).toEqual([]);
    expect(settings).toMatchObject({
      attempts: 5,
      batch: { firstFrames: 7 },
      encoder: { crf: 20, preset: 'fast' },
    });
    expect(originsOf('encoder.crf')).toEqual([
      { value: 20, place: `${home.configFile}, line 3`, reason: null },
      { value: 23, place: `${home.detectedFile}, line 2`, reason: 'three trials agreed' },
      { value: 18, place: 'default', reason: null },
    ]);
    expect(originsOf('attempts')[0]).toMatchObject({ value: 5, place: '--set' });
    expect(originsOf('batch.firstFrames')[0]?.place).toBe(
      'environment variable FRAMEKILN_BATCH_FIRST_FRAMES',
    );
  });

  it('are ignored one by one: below a faulty file, detected values apply', () => {
    writeFileSync(home.detectedFile, DETECTED);
    const { settings, faults } = written('encoder: { crf: 99 }\n');
    expect(settings.encoder.crf).toBe(23);
    expect(faults.at(-1)).toMatch(/has 1 error and is ignored; detected values and defaults apply/);
    writeFileSync(home.detectedFile, 'encoder: { crf: lots }\n');
    expect(written('attempts: 4\n').settings).toMatchObject({ attempts: 4, encoder: { crf: 18 } });
  });

  it('keep the last version of a file that is faulty now, which applies above detected values', () => {
    writeFileSync(home.detectedFile, DETECTED);
    keepValidSettings(home, written('encoder: { crf: 21 }\n'), 'change');
    const broken = written('encoder: { crf: 2');
    keepValidSettings(home, broken, 'change');
    expect(broken.settings.encoder.crf).toBe(21);
    expect(broken.originsOf('encoder.crf')[0]?.place).toBe(`${home.validConfigFile}, line 1`);
    expect(broken.faults.at(-1)).toMatch(
      /has 1 error and is ignored; its last version without errors applies/,
    );
  });

  it('replace the last version by an empty or missing file only at the start of the daemon', () => {
    keepValidSettings(home, written('encoder: { crf: 21 }\n'), 'start');
    const crfAfterFault = () => written('encoder: { crf: 99 }\n').settings.encoder.crf;
    // An editor empties the file and then writes it, or removes it and then renames another one.
    keepValidSettings(home, written('\n'), 'change');
    expect(crfAfterFault()).toBe(21);
    rmSync(home.configFile);
    keepValidSettings(home, loadSettings({ home }), 'change');
    expect(crfAfterFault()).toBe(21);
    // Comments alone are a version like any other.
    keepValidSettings(home, written('# as detected\n'), 'change');
    expect(crfAfterFault()).toBe(SAFE_DEFAULTS.encoder.crf);
    keepValidSettings(home, written('encoder: { crf: 21 }\n'), 'change');
    rmSync(home.configFile);
    keepValidSettings(home, loadSettings({ home }), 'start');
    expect(crfAfterFault()).toBe(SAFE_DEFAULTS.encoder.crf);
  });

  it('accept 0 and 1 for false and true in variables, and reject quiet hours of no length', () => {
    vi.stubEnv('ENABLE_SOFTWARE_FALLBACK', '0');
    vi.stubEnv('FRAMEKILN_ENCODER_LOW_LATENCY', '1');
    const { settings, faults } = loadSettings({
      home,
      flags: ["throttling.quietHours=['08:00-08:00', '24:30-25:00']"],
    });
    expect(settings.encoder).toMatchObject({ softwareFallback: false, lowLatency: true });
    expect(settings.throttling.quietHours).toEqual([]);
    expect(faults.join()).toMatch(/start and end are equal.*expected a time span/);
  });

  it('ignore faulty variables and options one by one', () => {
    vi.stubEnv('FRAMEKILN_ENCODER_CFR', '20');
    vi.stubEnv('FRAMEKILN_ENCODER_CRF', 'lots');
    vi.stubEnv('FRAMEKILN_SOMETHING_ELSE', 'is not ours');
    const { settings, faults } = loadSettings({
      home,
      flags: ['encoder.preset', 'attemps=4', 'batch.frames=9'],
    });
    expect(settings).toMatchObject({ encoder: { crf: 18 }, batch: { frames: 9 } });
    const expected = [
      /unknown environment variable FRAMEKILN_ENCODER_CFR \(did you mean FRAMEKILN_ENCODER_CRF\?\)/,
      /FRAMEKILN_ENCODER_CRF: encoder\.crf: .*; ignored/,
      /expected KEY=VALUE/,
      /unknown setting in --set: attemps \(did you mean attempts\?\)/,
    ];
    for (const part of expected) expect(faults).toContainEqual(expect.stringMatching(part));
    expect(faults).toHaveLength(expected.length);
  });
});

test('settings are read again only after a file has changed', () => {
  const onChange = vi.fn();
  const live = new LiveSettings({ home, flags: ['attempts=2'] }, onChange);
  expect(live.now().encoder.crf).toBe(18);
  const before = live.now();
  expect(live.now()).toBe(before);
  expect(onChange).not.toHaveBeenCalled();
  writeFileSync(home.configFile, 'encoder: { crf: 30 }\n');
  expect(live.now()).toMatchObject({ attempts: 2, encoder: { crf: 30 } });
  writeFileSync(home.configFile, 'encoder: { crf: 300 }\n');
  expect(live.now().encoder.crf).toBe(18);
  expect(live.loaded.faults).not.toEqual([]);
  expect(onChange).toHaveBeenCalledTimes(2);
});
