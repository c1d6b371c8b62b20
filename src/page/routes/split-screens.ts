import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isMissingFile } from '../../lib/file-errors.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';

const JobId = z.object({ id: z.coerce.number().int().positive() });
const Area = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

/** The part of `.framekiln/reports/ID.split-screen.json` that the page shows. */
const SplitScreen = z.object({
  width: z.int().nullable().meta({ description: 'of the source; null if unknown' }),
  height: z.int().nullable(),
  people: z.array(
    z.object({
      id: z.int(),
      firstFrame: z.int(),
      frames: z.int().meta({ description: 'in which the face was found' }),
      thumbnail: z.string().optional().meta({ description: 'absent if none could be made' }),
    }),
  ),
  shots: z.array(
    z.object({
      from: z.int(),
      to: z.int().meta({ description: 'the first frame of the next shot' }),
      stretches: z.array(
        z.object({
          from: z.int(),
          to: z.int(),
          shows: z.string(),
          layout: z.string(),
          panes: z.array(
            z
              .object({ person: z.int().nullable(), first: Area.nullable(), last: Area.nullable() })
              .nullable(),
          ),
          corrected: z.boolean().optional(),
        }),
      ),
    }),
  ),
});

/** What was decided for a split screen, and who is in it. */
export function addSplitScreenRoutes(app: FastifyInstance, { home, queue }: PageContext): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/api/jobs/:id/split-screen', summary: 'The decisions for a split screen' },
    params: JobId,
    answer: SplitScreen,
    handle: async ({ params: { id } }) => {
      const job = queue.jobs.getJob(id);
      if (job === null) throw new HttpError(404, 'UNKNOWN_JOB', `There is no job ${id}.`);
      // While it is drawn, the decisions are in the queue.
      const text = queue.analyses.getDecisions(id) ?? (await read(`${id}.split-screen.json`)).toString();
      const { width = null, height = null } = job.video ?? {};
      const found = SplitScreen.safeParse({ ...parseObject(text), width, height });
      if (!found.success)
        throw new HttpError(
          404,
          'NO_SPLIT_SCREEN',
          `.framekiln/reports/${id}.split-screen.json is damaged, or from an older version; process the video again.`,
        );
      return found.data;
    },
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/jobs/:id/people/:person', summary: 'A thumbnail of a person, as JPEG' },
    params: JobId.extend({ person: z.coerce.number().int().positive() }),
    handle: async ({ params: { id, person }, reply }) =>
      reply
        .headers({ 'content-type': 'image/jpeg', 'cache-control': 'private, max-age=600' })
        .send(await read(`${id}.person-${person}.jpg`)),
  });

  /** Reads a file beside the reports; its name consists of numbers only. */
  async function read(name: string): Promise<Buffer> {
    try {
      return await readFile(join(home.reportsDir, name));
    } catch (error) {
      if (!isMissingFile(error)) throw error;
      throw new HttpError(404, 'NO_SPLIT_SCREEN', 'Nothing is decided for this split screen yet.');
    }
  }
}

function parseObject(text: string): object {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}
