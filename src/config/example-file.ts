import { stringify } from 'yaml';
import { describeSetting, settingKeys, valueAt, variableOf } from './setting-keys.ts';
import { SAFE_DEFAULTS } from './settings.ts';

const HEAD = `# All settings of Framekiln with their defaults, written by \`framekiln config example\`.
#
# To change a setting, copy its line and the line of its group, such as \`encoder:\`, into framekiln.yaml and remove the #.
# Settings that are not in framekiln.yaml come from .framekiln/detected.yaml, where the probe stores what suits this machine,
# or from these defaults.
# \`framekiln config show --why KEY\` explains a value, and \`framekiln config set KEY VALUE\` changes framekiln.yaml.
# Settings can also be given as environment variables (${variableOf('encoder.crf')}=20) or options (--set encoder.crf=20).
`;

/** Text of `framekiln.example.yaml`. All settings are commented out, so that a copy of the file changes nothing. */
export function exampleFile(): string {
  const lines: string[] = [HEAD];
  let group = '';
  for (const key of settingKeys()) {
    const [first = '', name] = key.split('.');
    if (name !== undefined && first !== group) lines.push(`${group === '' ? '' : '\n'}${first}:`);
    group = first;
    const indent = name === undefined ? '' : '  ';
    const value = valueAt(SAFE_DEFAULTS, key);
    const assignment =
      value === undefined ? `${name ?? first}:` : stringify({ [name ?? first]: value }).trim();
    lines.push(
      `${name === undefined ? '\n' : ''}${indent}# ${describeSetting(key)}`,
      `${indent}# ${assignment}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
