import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';
import { Previews } from '../preview/previews.ts';

/** Images of jobs, to compare the source with the result. */
export function addPreviewRoutes(app: FastifyInstance, context: PageContext): void {
  const { home, queue, settings, signal } = context;
  const previews = new Previews({ home, queue, settings: () => settings.now(), signal });
  addRoute(app, {
    ...{ method: 'GET', url: '/api/jobs/:id/preview', summary: 'A frame of a job, as JPEG' },
    params: z.object({ id: z.coerce.number().int().positive() }),
    query: z.object({
      side: z.enum(['before', 'after']),
      batch: z.coerce.number().int().min(0).optional().meta({ description: 'number of a finished batch' }),
      moment: z.coerce
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .meta({ description: 'position in the video, as a fraction of its duration' }),
    }),
    handle: async ({ params: { id }, query, reply }) => {
      const job = queue.jobs.getJob(id);
      if (job === null) throw new HttpError(404, 'UNKNOWN_JOB', `There is no job ${id}.`);
      const image = await previews.image(job, query);
      // The address of an image names the batch, whose frames never change.
      return reply
        .headers({ 'content-type': 'image/jpeg', 'cache-control': 'private, max-age=600' })
        .send(image);
    },
  });
}
