import { describe, expect, it } from 'vitest';
import { withSettings } from '../../../src/config/write-setting.ts';

const withSetting = (text: string, name: string, key: string, value: string | null): string =>
  withSettings(text, name, [{ key, value }]).text;

describe('withSettings', () => {
  it('creates a file if there is none', () => {
    expect(withSetting('', 'framekiln.yaml', 'encoder.crf', '20')).toBe('encoder:\n  crf: 20\n');
    expect(withSetting('', 'framekiln.yaml', 'attempts', '5')).toBe('attempts: 5\n');
  });

  it('keeps comments, the order of keys and other settings', () => {
    const text =
      '# living room\nencoder:\n  # not too large\n  crf: 21 # as seen on TV\n\n# slow, but fine\nattempts: 2\n';
    expect(withSetting(text, 'framekiln.yaml', 'encoder.crf', '19')).toBe(text.replace('crf: 21', 'crf: 19'));
    expect(withSetting(text, 'framekiln.yaml', 'encoder.preset', 'slow')).toContain(
      'as seen on TV\n  preset: slow\n',
    );
  });

  it('adds a key to a group with comments only', () => {
    expect(withSetting('encoder:\n  # crf: 18\n', 'framekiln.yaml', 'encoder.crf', '20')).toBe(
      'encoder:\n  # crf: 18\n  crf: 20\n',
    );
  });

  it.each([
    ['encodr.crf', '20', /not a setting \(did you mean encoder\.crf\?\)/],
    ['crf', '20', /did you mean encoder\.crf\?/],
    ['encoder', '{ crf: 20 }', /not a setting/],
    ['encoder.crf', '99', /was not changed: framekiln\.yaml, line 2: encoder\.crf: /],
    ['encoder.crf', '[', /not valid YAML: .*, column 2\.$/],
  ])('rejects %s = %s', (key, value, why) => {
    expect(() => withSetting('', 'framekiln.yaml', key, value)).toThrow(why);
  });

  it('does not change a file that is already faulty', () => {
    expect(() => withSetting('encoder: {\n', 'framekiln.yaml', 'attempts', '4')).toThrow(/was not changed/);
    expect(() => withSetting('attemps: 3\n', 'framekiln.yaml', 'attempts', '4')).toThrow(
      /did you mean attempts/,
    );
  });
});

describe('removing', () => {
  it('keeps the rest of the file, and removes a group that is empty then', () => {
    const text = '# mine\nencoder:\n  crf: 20 # TV\n  preset: slow\nattempts: 2\n';
    expect(withSetting(text, 'f.yaml', 'encoder.crf', null)).toBe(
      '# mine\nencoder:\n  preset: slow\nattempts: 2\n',
    );
    expect(withSetting('encoder:\n  crf: 20\nattempts: 2\n', 'f.yaml', 'encoder.crf', null)).toBe(
      'attempts: 2\n',
    );
    expect(withSetting('attempts: 2\n', 'f.yaml', 'attempts', null)).toBe('');
    expect(withSetting('# mine\nencoder:\n  crf: 20\n', 'f.yaml', 'encoder.crf', null)).toBe('# mine\n');
    const between = 'attempts: 2\n# TV\nencoder:\n  crf: 20\n';
    expect(withSetting(between, 'f.yaml', 'encoder.crf', null)).toBe('attempts: 2\n\n# TV\n');
    expect(withSetting('attempts: 2\n', 'f.yaml', 'encoder.crf', null)).toBe('attempts: 2\n');
  });
});

it.each(['', '# mine\n', 'null\n', '# mine\nnull\n'])('a file without settings, %j, stays usable', (text) => {
  const unset = withSetting(text, 'f.yaml', 'encoder.crf', null);
  expect(unset).toBe(text.replace('null\n', ''));
  for (const each of [text, unset])
    expect(withSetting(each, 'f.yaml', 'attempts', '5')).toMatch(/^(# mine\n\n?)?attempts: 5\n$/);
});

describe('several changes', () => {
  it('are judged together, and can be undone', () => {
    const text = 'recipe:\n  size: 1080p\n';
    const changes = [
      { key: 'recipe.scale', value: '3' },
      { key: 'recipe.size', value: null },
    ];
    const changed = withSettings(text, 'f.yaml', changes);
    expect(changed.text).toBe('recipe:\n  scale: 3\n');
    expect(withSettings(changed.text, 'f.yaml', changed.previous).text).toBe(text);
    expect(() => withSettings(text, 'f.yaml', changes.slice(0, 1))).toThrow(/exclude each other/);
  });
});
