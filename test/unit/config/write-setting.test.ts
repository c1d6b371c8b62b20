import { describe, expect, it } from 'vitest';
import { withoutSetting, withSetting } from '../../../src/config/write-setting.ts';

describe('withSetting', () => {
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

describe('withoutSetting', () => {
  const remove = (text: string, key: string) => withoutSetting(text, 'framekiln.yaml', key);

  it('keeps comments and other settings', () => {
    const text = '# living room\nencoder:\n  crf: 21\n  preset: slow # fine\nattempts: 2\n';
    expect(remove(text, 'encoder.crf')).toBe('# living room\nencoder:\n  preset: slow # fine\nattempts: 2\n');
    expect(remove(text, 'attempts')).toBe('# living room\nencoder:\n  crf: 21\n  preset: slow # fine\n');
  });

  it('removes a group that is then empty', () => {
    expect(remove('encoder:\n  crf: 21\nattempts: 2\n', 'encoder.crf')).toBe('attempts: 2\n');
    expect(remove('encoder: { crf: 21 }\n', 'encoder.crf')).toBe('');
    expect(remove('# mine\n\n# sharper\nencoder: { crf: 20 }\n', 'encoder.crf').trim()).toBe('# mine');
    expect(remove('# mine\n\nattempts: 2\n', 'attempts').trim()).toBe('# mine');
  });

  it('does not touch a file without the setting', () => {
    const text = 'attempts:   2 # wide\n';
    expect(remove(text, 'encoder.crf')).toBe(text);
    expect(remove('', 'encoder.crf')).toBe('');
  });

  it('rejects an unknown setting, and a file that is not YAML', () => {
    expect(() => remove('', 'encodr.crf')).toThrow(/did you mean encoder\.crf/);
    expect(() => remove('encoder: {\n', 'encoder.crf')).toThrow(/was not changed/);
  });
});
