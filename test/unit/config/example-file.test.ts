import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exampleFile } from '../../../src/config/example-file.ts';
import { homeAt } from '../../../src/config/home.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { settingKeys } from '../../../src/config/setting-keys.ts';
import { SETTING_TEXTS } from '../../../src/config/setting-texts.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const committed = readFileSync(new URL('../../../framekiln.example.yaml', import.meta.url), 'utf8');

test('framekiln.example.yaml is what `framekiln config example` prints', () => {
  expect(committed).toBe(exampleFile());
});

test('every setting has a text, and every text a setting', () => {
  expect(Object.keys(SETTING_TEXTS).sort()).toEqual(settingKeys().sort());
});

test.each([
  ['as it is', committed],
  // `# key: value` becomes `key: value`; what has no value, and the prose, stay comments.
  ['with every setting uncommented', committed.replace(/^( *)# (\w+: \S.*)$/gm, '$1$2')],
])('a copy of it %s changes nothing', (_, text) => {
  const home = homeAt(temporaryFolder());
  writeFileSync(home.configFile, text);
  expect(loadSettings({ home: { ...home, detectedFile: `${home.root}/none` } })).toMatchObject({
    settings: SAFE_DEFAULTS,
    faults: [],
  });
});
