import { renameSync, writeFileSync } from 'node:fs';
import { codeOf } from '../domain/errors.ts';
import type { Home } from './home.ts';
import type { LoadedSettings } from './load-settings.ts';

/**
 * Keeps the text of `framekiln.yaml` if it has no faults. When it has some later, perhaps only while it is edited, this
 * version applies: with the defaults instead, all files that arrive meanwhile would become jobs with another model.
 *
 * An empty or missing file replaces the kept version only at the start of the daemon. While the daemon runs, an editor
 * may have emptied the file to write it again; a file that is still empty or missing at the next start is meant so.
 *
 * @param occasion why the settings were read: the start of the daemon, or a change while it runs
 * @returns a warning if it cannot be kept, or null
 */
export function keepValidSettings(
  { configFile, validConfigFile }: Pick<Home, 'configFile' | 'validConfigFile'>,
  { validText }: LoadedSettings,
  occasion: 'start' | 'change',
): string | null {
  if (validText === null || (validText.trim() === '' && occasion === 'change')) return null;
  try {
    writeFileSync(`${validConfigFile}.tmp`, validText, { flush: true });
    renameSync(`${validConfigFile}.tmp`, validConfigFile);
    return null;
  } catch (error) {
    return `cannot copy ${configFile} to ${validConfigFile} (${codeOf(error)}); an error in it will make an earlier version or the defaults apply`;
  }
}
