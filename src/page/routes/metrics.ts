import type { FastifyInstance } from 'fastify';
import { addRoute } from '../add-route.ts';
import { freeSpace } from '../machine/free-space.ts';
import type { PageContext } from '../page-context.ts';

/** The metrics for Prometheus. They are read as the page is: with the token, or as the same user on this machine. */
export function addMetricsRoutes(app: FastifyInstance, context: PageContext): void {
  const { home, queue, health, metrics, readGpus } = context;

  addRoute(app, {
    ...{ method: 'GET', url: '/metrics', summary: 'Metrics in the text format of Prometheus' },
    handle: async ({ reply }) => {
      const [gpus, output, state] = await Promise.all([
        readGpus(),
        freeSpace(home.output),
        freeSpace(home.stateDir),
      ]);
      const text = await metrics.render({
        ...{ jobs: queue.jobs.countByState(), isQueuePaused: queue.control.isQueuePaused() },
        gpus: gpus ?? [],
        freeBytes: { output, state },
        impairments: health().impairments.map(({ code }) => code),
      });
      return reply.header('content-type', metrics.contentType).send(text);
    },
  });
}
