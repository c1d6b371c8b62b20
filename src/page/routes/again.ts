import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { withFoundModel } from '../../inference/models/with-found-model.ts';
import { parseSidecarRecipe } from '../../config/corrections-schema.ts';
import { parseRecipe } from '../../config/recipe-schema.ts';
import type { IdentifiedHome } from '../../config/home.ts';
import { sendRequest } from '../../control/send-request.ts';
import type { AddRequest } from '../../domain/add-request.ts';
import { toError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { isOfSequence, type Recipe } from '../../domain/recipe.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';

/** Processing the source of a job once more, with another recipe. The former job and its output stay. */
export function addAgainRoutes(app: FastifyInstance, { home, queue, requests }: PageContext): void {
  addRoute(app, {
    ...{ method: 'POST', url: '/api/jobs/:id/again' },
    summary: 'Queue the source of a job again with another recipe; the former job and its output stay',
    params: z.object({ id: z.coerce.number().int().positive() }),
    body: z.object({
      changes: z.record(z.string(), z.unknown()).meta({
        description:
          'keys of the recipe that change. The corrections of a split screen (people, spans) are not inherited from the job',
      }),
    }),
    answer: z.object({ sentence: z.string() }),
    handle: async ({ params: { id }, body: { changes } }) => {
      const job = queue.jobs.getJob(id);
      if (job === null) throw new HttpError(404, 'UNKNOWN_JOB', `There is no job ${id}.`);
      if (isOfSequence(job.recipe))
        throw new HttpError(
          409,
          'IS_SEQUENCE',
          'A folder of images cannot be queued again here; change its sidecar file instead.',
        );
      const argument: AddRequest = {
        ...{ path: job.sourcePath, recipe: await recipeWith(changes, job, home) },
        ...{ priority: job.priority, outputFolder: dirname(job.outputPath) },
      };
      const { kind, sentence } = await sendRequest(requests, { kind: 'add', jobId: null, argument });
      if (kind === 'rejected') throw new HttpError(409, 'REJECTED', sentence);
      return { sentence };
    },
  });
}

/** The recipe of a job with changes. @throws HttpError with all faults */
async function recipeWith(
  changes: Readonly<Record<string, unknown>>,
  { recipe }: Job,
  home: IdentifiedHome,
): Promise<Recipe> {
  const base = Object.fromEntries(
    Object.entries(recipe).filter(([key]) => key !== 'people' && key !== 'spans'),
  ) as unknown as Recipe;
  // A file anywhere on this machine is not for whoever has the token of the page.
  const files = ['model', 'enhance'].map((key) => changes[key]);
  if (files.some((file) => typeof file === 'string' && /[/\\]|\.onnx$/.test(file)))
    throw new HttpError(400, 'INVALID_RECIPE', 'Expected the name of a model, not a path.');
  try {
    const changed = parseSidecarRecipe(changes, (keys) => parseRecipe(keys, base));
    return await withFoundModel(changed, home);
  } catch (error) {
    throw new HttpError(400, 'INVALID_RECIPE', toError(error).message);
  }
}
