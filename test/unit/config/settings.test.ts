import { expect, test } from 'vitest';
import { loadSettings, parseSettings } from '../../../src/config/load-settings.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test('an empty file says nothing', () => {
  expect(parseSettings('# nothing\n', 'framekiln.yaml')).toEqual({ settings: SAFE_DEFAULTS, faults: [] });
});

test('what is written counts, and recipes are whole', () => {
  const text =
    'recipe: { preset: pro, network: lanczos }\nintake:\n  folders:\n    old: { scale: 3 }\nencoder: { crf: 20 }\n';
  const { settings, faults } = parseSettings(text, 'framekiln.yaml');
  expect(faults).toEqual([]);
  expect(settings.recipe).toEqual({
    pipeline: 'upscale',
    network: 'lanczos',
    scale: 4,
    device: 'gpu',
    tile: 'auto',
  });
  expect(settings.intake.folders['old']).toMatchObject({ network: 'lanczos', scale: 3, device: 'gpu' });
  expect(settings.encoder).toMatchObject({ crf: 20, preset: 'medium' });
});

test('every fault is told at once, unknown keys with the nearest valid one, and nothing of the file is used', () => {
  const text =
    'encodr: { crf: 20 }\nencoder: { crf: 99, presett: slow }\ntries: many\nintake: { folders: { a: { scal: 2 } } }\n';
  const { settings, faults } = parseSettings(text, 'framekiln.yaml');
  expect(settings).toEqual(SAFE_DEFAULTS);
  const all = faults.join('\n');
  for (const part of [
    'encodr is not a key (did you mean encoder?)',
    'encoder.presett is not a key (did you mean preset?)',
    'encoder.crf',
    'tries',
    'scal is not a key',
  ]) {
    expect(all).toContain(part);
  }
  expect(faults.at(-1)).toMatch(/Nothing of framekiln\.yaml is used/);
});

test('broken YAML is told with its line', () => {
  const { settings, faults } = parseSettings('encoder: {\n  crf: 1\n', 'framekiln.yaml');
  expect(settings).toEqual(SAFE_DEFAULTS);
  expect(faults[0]).toMatch(/framekiln\.yaml: .*line \d/);
});

test.each([
  ['an alias without its anchor', 'tries: *three\n', /alias/],
  ['a text instead of groups', 'hello\n', /expected object/],
  [
    'a value of a wrong type in a folder’s recipe',
    'intake: { folders: { a: { scale: big } } }\n',
    /folders\.a\.scale/,
  ],
])('%s is a fault, not a crash', (_, text, fault) => {
  const { settings, faults } = parseSettings(text, 'framekiln.yaml');
  expect(settings).toEqual(SAFE_DEFAULTS);
  expect(faults[0]).toMatch(fault);
});

test('a file that cannot be read is a fault; one that is not there is none', () => {
  const folder = temporaryFolder();
  const { settings, faults } = loadSettings({ configFile: folder });
  expect(settings).toEqual(SAFE_DEFAULTS);
  expect(faults[0]).toMatch(/cannot be read \(EISDIR\)/);
  expect(loadSettings({ configFile: `${folder}/framekiln.yaml` }).faults).toEqual([]);
});

test('an unknown key of a folder’s recipe gets the nearest one, too', () => {
  const { faults } = parseSettings('intake: { folders: { a: { scal: 2 } } }\n', 'framekiln.yaml');
  expect(faults[0]).toContain('intake.folders.a.scal is not a key (did you mean scale?)');
});
