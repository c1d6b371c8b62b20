import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addRoute, type DescribedRoute } from './add-route.ts';
import { openApi } from './open-api.ts';
import type { PageContext } from './page-context.ts';
import { addAgainRoutes } from './routes/again.ts';
import { addEventRoutes } from './routes/events.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addJobGroupRoutes } from './routes/job-groups.ts';
import { addJobRoutes } from './routes/jobs.ts';
import { addMachineRoutes } from './routes/machine.ts';
import { addMetricsRoutes } from './routes/metrics.ts';
import { addOutputRoutes } from './routes/outputs.ts';
import { addPreviewRoutes } from './routes/previews.ts';
import { addSessionRoutes } from './routes/session.ts';
import { addSettingsRoutes } from './routes/settings.ts';
import { addSplitScreenRoutes } from './routes/split-screens.ts';
import { addTryRoutes } from './routes/try.ts';
import { addUploadRoutes } from './routes/uploads.ts';
import { addStaticFiles } from './static-files.ts';

/** Adds all routes of the page. */
export async function addRoutes(app: FastifyInstance, context: PageContext): Promise<void> {
  const described: DescribedRoute[] = [];
  app.addHook('onRoute', ({ method, config }) => {
    if (method !== 'HEAD' && config?.described !== undefined) described.push(config.described);
  });
  await addStaticFiles(app);
  addHealthRoutes(app, context);
  addSessionRoutes(app, context);
  addEventRoutes(app, context);
  addJobRoutes(app, context);
  addJobGroupRoutes(app, context);
  addAgainRoutes(app, context);
  addSplitScreenRoutes(app, context);
  addPreviewRoutes(app, context);
  addOutputRoutes(app, context);
  addUploadRoutes(app, context);
  addTryRoutes(app, context);
  addSettingsRoutes(app, context);
  addMachineRoutes(app, context);
  addMetricsRoutes(app, context);
  addRoute(app, {
    ...{ method: 'GET', url: '/api/openapi.json', summary: 'This description of the API' },
    answer: z.record(z.string(), z.unknown()),
    handle: () => openApi(described, context.version),
  });
}
