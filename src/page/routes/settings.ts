import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  describeSetting,
  NEEDS_RESTART,
  settingField,
  settingKeys,
  variableOf,
  type SettingField,
} from '../../config/setting-keys.ts';
import { changeSettings, describeChange } from '../../control/change-settings.ts';
import { codeOf, ConfigurationError } from '../../domain/errors.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';

const Origin = z.object({ value: z.unknown(), place: z.string(), reason: z.string().nullable() });

const Setting = z.object({
  key: z.string(),
  description: z.string(),
  variable: z.string().meta({ description: 'the environment variable that sets it' }),
  field: z.custom<SettingField>().meta({ description: 'how the setting is entered in a form' }),
  needsRestart: z
    .boolean()
    .meta({ description: 'whether a change applies only after the daemon is restarted' }),
  isProtected: z.boolean().meta({ description: 'whether the page may neither show nor change its value' }),
  origins: z
    .array(Origin)
    .meta({ description: 'the effective value first, the default last; protected values are null' }),
});

const Change = z.object({
  key: z.string(),
  value: z.json().optional().meta({ description: 'null: remove the setting from the file' }),
  yaml: z.string().max(20_000).optional().meta({ description: 'the value in YAML, instead of `value`' }),
});
type Change = z.infer<typeof Change>;

const NOT_WRITABLE: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'];

/** Whoever has the token of the page must not thereby get a shell on this machine. */
function isProtected(key: string): boolean {
  return /^hooks\b/.test(key);
}

/** The settings with their origins, to read and to change. */
export function addSettingsRoutes(app: FastifyInstance, { settings, home, log }: PageContext): void {
  /** Each change reads the file and writes it. */
  const oneAtATime = new Semaphore(1);

  addRoute(app, {
    ...{ method: 'GET', url: '/api/settings' },
    summary: 'All settings, with what each means and where it is set',
    answer: z.object({
      file: z.string().meta({ description: 'the settings file, absolute' }),
      faults: z.array(z.string()),
      settings: z.array(Setting),
    }),
    handle: () => {
      settings.now();
      const { faults, originsOf } = settings.loaded;
      return {
        ...{ file: home.configFile, faults: [...faults] },
        settings: settingKeys().map((key) => ({
          ...{ key, description: describeSetting(key), variable: variableOf(key), field: settingField(key) },
          needsRestart: NEEDS_RESTART.includes(key),
          isProtected: isProtected(key),
          origins: originsOf(key).map(({ value = null, place, reason }) => ({
            // Addresses and arguments of hooks often contain passwords; the place tells whether they are set.
            ...{ value: isProtected(key) ? null : value, place, reason },
          })),
        })),
      };
    },
  });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/settings', summary: 'Change settings in the settings file, all or none' },
    body: z.object({ changes: z.array(Change).min(1).max(50) }),
    answer: z.object({
      sentences: z.array(z.string()).meta({ description: 'what applies now, and since when' }),
      previous: z.array(Change).meta({ description: 'the changes that undo these' }),
    }),
    handle: async ({ body: { changes } }) => {
      const locked = changes.find(({ key }) => isProtected(key));
      if (locked !== undefined)
        throw new HttpError(
          403,
          'PROTECTED_SETTING',
          `Settings of hooks can only be changed in ${home.configFile}, because hooks run programs.`,
        );
      const permit = await oneAtATime.acquire();
      try {
        const previous = await changeSettings(
          home,
          changes.map((change) => ({ key: change.key, value: yamlOf(change) })),
        );
        settings.now();
        const sentences = changes.map(({ key }) =>
          describeChange(key, settings.loaded.originsOf(key), home.configFile),
        );
        for (const sentence of sentences) log.info(`page: ${sentence.replace(/\.$/, '')}`);
        return {
          sentences,
          previous: previous.map(({ key, value }) =>
            value === null ? { key, value } : { key, yaml: value },
          ),
        };
      } catch (error) {
        if (error instanceof ConfigurationError)
          throw new HttpError(400, 'INVALID_SETTING', messageOf(error));
        if (NOT_WRITABLE.includes(codeOf(error)))
          throw new HttpError(
            409,
            'SETTINGS_NOT_WRITABLE',
            `${home.configFile} cannot be written (${codeOf(error)}); nothing was changed.`,
          );
        throw error;
      } finally {
        permit.release();
      }
    },
  });
}

function yamlOf({ value, yaml }: Change): string | null {
  if (yaml !== undefined) return yaml;
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** The faults without the lines of the file that would have been written. */
function messageOf({ faults, message }: ConfigurationError): string {
  return faults.length === 0
    ? message
    : faults.map((fault) => fault.replace(/^.*?, line \d+: /, '')).join('; ');
}
