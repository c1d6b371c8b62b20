import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { modelFolders } from '../../config/home.ts';
import { installedUpscalers } from '../../inference/models/find-model.ts';
import { readKnownModels } from '../../inference/models/known-models.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';
import { sendFile } from '../send-file.ts';
import { listSources, sourcePath } from '../try/sources.ts';
import { TryRuns } from '../try/try-runs.ts';
import { TryState } from '../try/try-state.ts';

const MOST_SOURCES = 200;
const MOST_MODELS = 20;

/** Comparing models on one frame: `framekiln try` on the page. */
export function addTryRoutes(app: FastifyInstance, { home, settings, guard, signal }: PageContext): void {
  const runs = new TryRuns(home, settings.sources.flags ?? [], signal);

  /** What can be tried beside `lanczos`: the installed models, and a model file of the settings. */
  const listModels = async (): Promise<string[]> => {
    const installed = await installedUpscalers(modelFolders(home), await readKnownModels());
    const { recipe } = settings.now();
    const isOwn = recipe.pipeline === 'upscale' && recipe.model.endsWith('.onnx');
    return isOwn ? [recipe.model, ...installed] : installed;
  };

  addRoute(app, {
    ...{ method: 'GET', url: '/api/models', summary: 'Installed models that can upscale' },
    answer: z.object({ models: z.array(z.string()) }),
    handle: async () => ({ models: await listModels() }),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/sources', summary: 'Files in input/, by part of their name' },
    query: z.object({ text: z.string().max(200).default('') }),
    answer: z.object({ files: z.array(z.string()) }),
    handle: async ({ query: { text } }) => ({ files: await listSources(home, text, MOST_SOURCES) }),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/try', summary: 'The last comparison of models on a frame' },
    answer: TryState,
    handle: () => runs.state,
  });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/try', summary: 'Upscale one frame with several models, to compare them' },
    body: z.object({
      file: z.string().min(1).max(4096).meta({ description: 'path in input/, or an absolute one' }),
      atSeconds: z
        .number()
        .min(0)
        .max(1e6)
        .nullable()
        .default(null)
        .meta({ description: 'null: the middle of the video' }),
      seconds: z.number().min(0.1).max(10).nullable().default(null).meta({
        description:
          'length in seconds of the clip that is made for each model, beside the source; null: no clips',
      }),
      models: z.array(z.string()).min(1).max(MOST_MODELS).meta({ description: 'some of /api/models' }),
      scale: z
        .number()
        .min(1)
        .max(4)
        .nullable()
        .default(null)
        .meta({ description: 'null: as in the settings' }),
    }),
    answer: TryState,
    handle: async ({ body: { file, ...wanted }, request }) => {
      const path = await sourcePath(home, file, await guard.isTrusted(request));
      const known = ['lanczos', ...(await listModels())];
      const unknown = wanted.models.find((model) => !known.includes(model));
      if (unknown !== undefined)
        throw new HttpError(400, 'MODEL_UNKNOWN', `The model ${unknown} is not installed.`);
      return runs.start({ ...wanted, path });
    },
  });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/try/cancel', summary: 'End the comparison that is running' },
    answer: TryState,
    handle: () => {
      runs.cancel();
      return runs.state;
    },
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/try/:run/images/:name', summary: 'An image of the comparison, as PNG' },
    params: z.object({ run: z.coerce.number().int(), name: z.string() }),
    handle: async ({ params: { run, name }, reply }) =>
      reply
        .headers({ 'content-type': 'image/png', 'cache-control': 'private, max-age=3600' })
        .send(await runs.image(run, name)),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/try/:run/clips/:name', summary: 'A clip of the comparison, as MP4' },
    params: z.object({ run: z.coerce.number().int(), name: z.string() }),
    handle: async ({ params: { run, name }, request, reply }) => {
      const file = await runs.clip(run, name);
      void reply.headers({ 'content-type': 'video/mp4', 'cache-control': 'private, max-age=3600' });
      return sendFile(file, request, reply);
    },
  });
}
