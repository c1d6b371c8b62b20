import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { describeSetting, settingKeys, variableOf } from '../../config/setting-keys.ts';
import { addRoute } from '../add-route.ts';
import type { PageContext } from '../page-context.ts';

const Origin = z.object({ value: z.unknown(), place: z.string(), reason: z.string().nullable() });

/** The settings with their origins, to read. */
export function addSettingsRoutes(app: FastifyInstance, { settings, home }: PageContext): void {
  addRoute(app, {
    ...{
      method: 'GET',
      url: '/api/settings',
      summary: 'All settings, with what each means and where it is set',
    },
    answer: z.object({
      file: z.string().meta({ description: 'the settings file, absolute' }),
      faults: z.array(z.string()),
      settings: z.array(
        z.object({
          key: z.string(),
          description: z.string(),
          variable: z.string().meta({ description: 'the environment variable that sets it' }),
          origins: z.array(Origin).meta({ description: 'the effective value first, the default last' }),
        }),
      ),
    }),
    handle: () => {
      settings.now();
      const { faults, originsOf } = settings.loaded;
      return {
        ...{ file: home.configFile, faults: [...faults] },
        settings: settingKeys().map((key) => ({
          ...{ key, description: describeSetting(key), variable: variableOf(key) },
          origins: originsOf(key).map(({ value = null, place, reason }) => ({ value, place, reason })),
        })),
      };
    },
  });
}
