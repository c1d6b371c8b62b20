import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addRoute } from '../add-route.ts';
import type { PageContext } from '../page-context.ts';

/** For service managers and containers; both need no token and say nothing about the jobs. */
export function addHealthRoutes(app: FastifyInstance, { queue }: PageContext): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/healthz', summary: 'Whether the daemon is alive' },
    answer: z.object({ status: z.literal('ok') }),
    handle: () => ({ status: 'ok' as const }),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/readyz', summary: 'Whether the daemon can read its queue; 500 if it cannot' },
    answer: z.object({ status: z.literal('ok') }),
    handle: () => {
      queue.jobs.changeMark();
      return { status: 'ok' as const };
    },
  });
}
