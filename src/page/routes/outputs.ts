import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isMissingFile } from '../../lib/file-errors.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';
import { sendFile } from '../send-file.ts';

/** The finished files, to be saved by a browser. */
export function addOutputRoutes(app: FastifyInstance, { queue }: PageContext): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/api/jobs/:id/output', summary: 'The finished file of a job' },
    params: z.object({ id: z.coerce.number().int().positive() }),
    handle: async ({ params: { id }, request, reply }) => {
      const job = queue.jobs.getJob(id);
      if (job?.state !== 'done') throw new HttpError(404, 'NO_OUTPUT', `Job ${id} has no finished file.`);
      const name = basename(job.outputPath);
      const file = await openOutput(job.outputPath);
      void reply.headers({
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", '%27')}`,
      });
      return sendFile(file, request, reply);
    },
  });
}

async function openOutput(path: string): Promise<FileHandle> {
  const missing = new HttpError(404, 'NO_OUTPUT', `${path} is missing; it was moved or deleted.`);
  try {
    // Something else may have its name now: a folder cannot be sent, and opening a pipe would wait for its writer.
    if (!(await stat(path)).isFile()) throw missing;
    return await open(path);
  } catch (error) {
    throw isMissingFile(error) ? missing : error;
  }
}
