import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addRoute } from '../add-route.ts';
import type { PageContext } from '../page-context.ts';

const Status = z.enum(['ok', 'degraded', 'failing']);

/** What keeps the daemon from working as intended, with what leads out of it. */
export const HealthReport = z.object({
  status: Status.meta({
    description:
      'ok: everything works; degraded: something does not, but the daemon works; failing: the daemon cannot process anything',
  }),
  impairments: z.array(z.object({ code: z.string(), message: z.string(), remedy: z.string() })),
});

/** For service managers and containers; the first two need no token and say nothing about the jobs. */
export function addHealthRoutes(app: FastifyInstance, { health }: PageContext): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/healthz', summary: 'Whether the daemon is alive; 503 if its loop hangs' },
    answer: z.object({ status: z.enum(['ok', 'hung']) }),
    handle: ({ reply }) => {
      const isHung = health().impairments.some(({ code }) => code === 'LOOP_STALLED');
      void reply.code(isHung ? 503 : 200);
      return { status: isHung ? 'hung' : 'ok' };
    },
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/readyz' },
    summary: 'Whether the daemon can process jobs; 503 if it cannot. A degraded daemon can',
    answer: z.object({ status: Status, codes: z.array(z.string()) }),
    handle: ({ reply }) => {
      const { status, impairments } = health();
      void reply.code(status === 'failing' ? 503 : 200);
      return { status, codes: impairments.map(({ code }) => code) };
    },
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/health', summary: 'What keeps the daemon from working as intended' },
    answer: HealthReport,
    handle: () => {
      const { status, impairments } = health();
      return { status, impairments: [...impairments] };
    },
  });
}
