import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exampleFile } from '../../../src/config/example-file.ts';
import { homeAt } from '../../../src/config/home.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { describeSetting, settingKeys } from '../../../src/config/setting-keys.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const committed = readFileSync(new URL('../../../framekiln.example.yaml', import.meta.url), 'utf8');

test('framekiln.example.yaml is what `framekiln config example` prints', () => {
  expect(committed).toBe(exampleFile());
});

test.each(settingKeys())('%s has a description', (key) => {
  expect(describeSetting(key)).toMatch(/^\w.{10}/);
});

test.each([
  ['without changes', committed],
  // `# key: value` becomes `key: value`; prose and settings without a default stay comments.
  ['with every setting uncommented', committed.replace(/^( *)# (\w+: \S.*)$/gm, '$1$2')],
])('a copy of the example file %s changes no setting', (_, text) => {
  const home = homeAt(temporaryFolder());
  writeFileSync(home.configFile, text);
  expect(loadSettings({ home: { ...home, detectedFile: `${home.root}/none` } })).toMatchObject({
    settings: SAFE_DEFAULTS,
    faults: [],
  });
});
