import type { FastifyInstance } from 'fastify';
import { readGpuFigures } from '../../hardware/gpu-figures.ts';
import type { GpuFigures } from '../../observability/metrics.ts';
import { freeBytesOrNull } from '../../workspace/free-bytes.ts';
import { addRoute } from '../add-route.ts';
import type { PageContext } from '../page-context.ts';

/** The metrics for Prometheus. They are read as the page is: with the token, or as the same user on this machine. */
export function addMetricsRoutes(app: FastifyInstance, context: PageContext): void {
  const { home, queue, health, metrics, signal } = context;
  let figures: Promise<readonly GpuFigures[]> | null = null;
  // Several readers at the same time share one nvidia-smi, which takes up to seconds.
  const readFigures = (): Promise<readonly GpuFigures[]> =>
    (figures ??= readGpuFigures(signal).finally(() => (figures = null)));

  addRoute(app, {
    ...{ method: 'GET', url: '/metrics', summary: 'Metrics in the text format of Prometheus' },
    handle: async ({ reply }) => {
      const [gpus, output, state] = await Promise.all([
        readFigures(),
        freeBytesOrNull(home.output),
        freeBytesOrNull(home.stateDir),
      ]);
      const text = await metrics.render({
        ...{ jobs: queue.jobs.countByState(), isQueuePaused: queue.control.isQueuePaused(), gpus },
        freeBytes: { output, state },
        impairments: health().impairments.map(({ code }) => code),
      });
      return reply.header('content-type', metrics.contentType).send(text);
    },
  });
}
