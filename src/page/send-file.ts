import type { FileHandle } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { byteRange } from './byte-range.ts';

/** Sends an open file, or the part that the request asks for, and closes it. Safari plays only what it can ask for in parts. */
export async function sendFile(
  file: FileHandle,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { size } = await file.stat();
  const range = byteRange(request.headers.range, size);
  void reply.header('accept-ranges', 'bytes');
  if (range === 'beyond' || size === 0) {
    await file.close();
    return range === null
      ? reply.header('content-length', 0).send('')
      : reply.code(416).header('content-range', `bytes */${size}`).send('');
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range !== null) void reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  return reply.header('content-length', end - start + 1).send(file.createReadStream({ start, end }));
}
