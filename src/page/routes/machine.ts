import { cpus, loadavg } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { availableMemoryBytes, totalMemoryBytes } from '../../workspace/memory.ts';
import { addRoute } from '../add-route.ts';
import { freeSpace } from '../machine/free-space.ts';
import { MEASURES, SPANS } from '../machine/history.ts';
import type { PageContext } from '../page-context.ts';
import { DoctorReport, readDoctorReport, runDoctor } from '../doctor.ts';

/** The load of the machine, and the checks of `framekiln doctor`. */
export function addMachineRoutes(
  app: FastifyInstance,
  { home, settings, history, signal }: PageContext,
): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/api/machine', summary: 'Load, memory and disk space of this machine' },
    answer: z.object({
      processor: z.string(),
      cores: z.int(),
      load: z.number().meta({ description: 'processes that ran or waited, on average over the last minute' }),
      memoryBytes: z.int(),
      freeMemoryBytes: z.int(),
      daemonBytes: z.int().meta({ description: 'memory of the daemon itself, without its worker' }),
      uptimeSeconds: z.int().meta({ description: 'time since the daemon was started' }),
      disks: z.array(
        z.object({
          folder: z.string(),
          freeBytes: z
            .int()
            .nullable()
            .meta({ description: 'null if the folder is missing or does not answer' }),
        }),
      ),
    }),
    handle: async () => ({
      processor: cpus()[0]?.model.trim() ?? '',
      cores: cpus().length,
      load: loadavg()[0] ?? 0,
      memoryBytes: await totalMemoryBytes(),
      freeMemoryBytes: await availableMemoryBytes(),
      daemonBytes: process.memoryUsage.rss(),
      uptimeSeconds: Math.round(process.uptime()),
      disks: await Promise.all(
        [home.output, home.stateDir, '/dev/shm'].map(async (folder) => ({
          folder,
          freeBytes: await freeSpace(folder),
        })),
      ),
    }),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/machine/history', summary: 'Load of this machine over time' },
    query: z.object({ span: z.enum(['1h', '24h', '7d']).default('1h') }),
    answer: z.object({
      stepSeconds: z.int(),
      times: z.array(z.number()).meta({ description: 'in seconds since 1970, oldest first' }),
      values: z.partialRecord(z.enum(MEASURES), z.array(z.number().nullable())).meta({
        description: 'shares in percent, sizes in bytes, the speed in frames per second; null for a gap',
      }),
    }),
    handle: ({ query: { span } }) => ({ stepSeconds: SPANS[span].stepSeconds, ...history.columns(span) }),
  });

  addRoute(app, {
    ...{
      method: 'GET',
      url: '/api/doctor',
      summary: 'The last result of framekiln doctor; null if there is none',
    },
    answer: DoctorReport.nullable(),
    handle: () => readDoctorReport(home),
  });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/doctor', summary: 'Run framekiln doctor' },
    answer: DoctorReport,
    handle: () => runDoctor(home, settings.sources.flags ?? [], signal),
  });
}
