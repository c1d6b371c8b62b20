import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { LogEntry } from '../../observability/log-entry.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import { Live } from '../live-state.ts';
import type { PageContext } from '../page-context.ts';

const MOST_FOLLOWERS = 50;
/** So that proxies and browsers notice a dead connection. */
const PING_EVERY_MS = 15_000;
/** A browser that does not read, such as that of a sleeping laptop, is dropped; it connects again when it wakes up. */
const MOST_UNSENT_BYTES = 1024 * 1024;

const Entry = z.object({
  number: z.int().meta({ description: 'grows by 1 with each entry; starts again with the daemon' }),
  atMs: z.number(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  prefix: z.string().nullable(),
  message: z.string(),
});

/** The state and the log: once, and as server-sent events. */
export function addEventRoutes(app: FastifyInstance, { live, tail, signal }: PageContext): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/api/status', summary: 'The state of this home and its running jobs' },
    answer: Live,
    handle: () => live.read(),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/log', summary: 'The latest log entries, oldest first' },
    answer: z.object({ entries: z.array(Entry) }),
    handle: () => ({ entries: [...tail.list()] }),
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/events' },
    summary:
      'Server-sent events: `state` with the response of /api/status, once on connecting and then on every change, at most once a second; `log` with each new log entry',
    handle: ({ reply }) => {
      if (live.followerCount >= MOST_FOLLOWERS)
        throw new HttpError(503, 'TOO_MANY_PAGES', 'Too many pages are open; close some of them.');
      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, { ...reply.getHeaders(), ...EVENT_HEADERS } as Record<string, string>);
      const send = (text: string): void => sendOrDrop(response, text);
      let last = '';
      const ends = [
        live.follow((state) => {
          const text = JSON.stringify(state);
          if (text !== last) send(`event: state\ndata: ${text}\n\n`);
          last = text;
        }),
        tail.follow((entry: LogEntry) => send(`event: log\ndata: ${JSON.stringify(entry)}\n\n`)),
      ];
      const ping = setInterval(() => send(': ping\n\n'), PING_EVERY_MS);
      const end = (): void => void response.destroy();
      signal.addEventListener('abort', end);
      response.once('close', () => {
        clearInterval(ping);
        signal.removeEventListener('abort', end);
        for (const unfollow of ends) unfollow();
      });
    },
  });
}

const EVENT_HEADERS = {
  'content-type': 'text/event-stream',
  // nginx buffers answers unless told otherwise.
  'x-accel-buffering': 'no',
};

function sendOrDrop(response: ServerResponse, text: string): void {
  if (response.writableLength > MOST_UNSENT_BYTES) response.destroy();
  else if (!response.destroyed) response.write(text);
}
