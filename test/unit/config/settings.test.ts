import { expect, test } from 'vitest';
import { parseSettings } from '../../../src/config/load-settings.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';

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
