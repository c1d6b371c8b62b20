import type { FastifyInstance } from 'fastify';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { folderPreset, PRESET_FOLDERS } from '../../config/recipe-presets.ts';
import { completeRecipe } from '../../config/recipe-schema.ts';
import type { Recipe } from '../../domain/recipe.ts';
import { isCandidate } from '../../intake/candidate-file.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';
import { removeOldUploads, Uploads, type Upload } from '../upload/upload-file.ts';

const MOST_NAME_BYTES = 240;

const FileName = z
  .string()
  .min(1)
  .refine((name) => !/[/\p{Cc}]/u.test(name), 'expected a file name without slashes and control characters')
  .refine(
    (name) => Buffer.byteLength(name) <= MOST_NAME_BYTES,
    `the name is longer than ${MOST_NAME_BYTES} bytes`,
  )
  .refine(
    isCandidate,
    'Framekiln ignores files with this name: it is that of a hidden, temporary, system or sidecar file',
  );

const Query = z.object({
  name: FileName,
  folder: z.string().default('').meta({ description: 'a folder of /api/folders; empty for input/ itself' }),
  size: z.coerce.number().int().positive().meta({ description: 'size of the whole file in bytes' }),
  modifiedAtMs: z.coerce.number().default(0),
});

/** Files that a browser sends to input/. */
export function addUploadRoutes(app: FastifyInstance, { home, queue, settings, log }: PageContext): void {
  const uploads = new Uploads(home, queue.mountPoints);
  removeOldUploads(home, Date.now()).catch((error: unknown) => {
    log.debug(`page: cannot look for old uploads: ${String(error)}`);
  });
  app.addContentTypeParser('application/octet-stream', (_, payload, done) => done(null, payload));

  const folders = (): { name: string; recipe: Recipe }[] => {
    const { recipe, intake } = settings.now();
    const presets = PRESET_FOLDERS.map((name) => ({
      name,
      recipe: completeRecipe(folderPreset(name) ?? {}, recipe),
    }));
    const own = Object.entries(intake.folders).map(([name, each]) => ({ name, recipe: each }));
    return [{ name: '', recipe }, ...presets.filter(({ name }) => !(name in intake.folders)), ...own];
  };
  const checked = (upload: Upload): Upload => {
    if (folders().some(({ name }) => name === upload.folder)) return upload;
    throw new HttpError(400, 'UNKNOWN_FOLDER', `There is no recipe for a folder ${upload.folder}.`);
  };

  addRoute(app, {
    ...{ method: 'GET', url: '/api/folders', summary: 'Folders in input/ that select a recipe' },
    answer: z.object({ folders: z.array(z.object({ name: z.string(), recipe: z.custom<Recipe>() })) }),
    handle: () => ({ folders: folders() }),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/uploads', summary: 'Bytes of a file that have arrived', query: Query },
    answer: z.object({ received: z.int() }),
    handle: async ({ query }) => ({ received: await uploads.receivedBytes(checked(query)) }),
  });

  addRoute(app, {
    ...{ method: 'PUT', url: '/api/uploads' },
    summary: 'Send a file, or the rest of it, as application/octet-stream',
    query: Query.extend({ offset: z.coerce.number().int().min(0).default(0) }),
    answer: z.object({
      file: z.string().nullable().meta({ description: 'path in input/; null if bytes are missing' }),
    }),
    handle: async ({ query: { offset, ...upload }, request }) => ({
      file: await uploads.receive(checked(upload), offset, request.body as Readable),
    }),
  });
}
