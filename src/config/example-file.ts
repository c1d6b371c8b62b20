import { stringify } from 'yaml';
import { describeRange, settingKeys, valueAt, variableOf } from './setting-keys.ts';
import { SETTING_TEXTS } from './setting-texts.ts';
import { SAFE_DEFAULTS } from './settings.ts';

const HEAD = `# Every setting of Framekiln with its safe default. \`framekiln config example\` wrote this file.
#
# Copy what you want to change into framekiln.yaml, without the # before it. What is not there is taken from
# .framekiln/detected.yaml, where the probe writes what it found out about this machine, else from these defaults.
# \`framekiln config show --why KEY\` tells what holds and why; \`framekiln config set KEY VALUE\` writes framekiln.yaml.
# Each setting can also be given as a variable, such as ${variableOf('encoder.crf')}=20, or as --set encoder.crf=20.
`;

/** The text of `framekiln.example.yaml`. Groups are there, settings are comments: a copy of it changes nothing. */
export function exampleFile(): string {
  const lines: string[] = [HEAD];
  let group = '';
  for (const key of settingKeys()) {
    const [first = '', name] = key.split('.');
    if (name !== undefined && first !== group) lines.push(`${group === '' ? '' : '\n'}${first}:`);
    group = first;
    const indent = name === undefined ? '' : '  ';
    const range = describeRange(key);
    const value = valueAt(SAFE_DEFAULTS, key);
    const said = value === undefined ? `${name ?? first}:` : stringify({ [name ?? first]: value }).trim();
    const text = `${SETTING_TEXTS[key] ?? ''}${range === '' ? '' : ` (${range})`}`;
    lines.push(`${name === undefined ? '\n' : ''}${indent}# ${text}`, `${indent}# ${said}`);
  }
  return `${lines.join('\n')}\n`;
}
