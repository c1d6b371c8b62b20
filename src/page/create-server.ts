import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { toError } from '../domain/errors.ts';
import { visibleText } from '../lib/visible-text.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Guard } from './guard/guard.ts';
import { HttpError } from './http-error.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** A client must send its headers within this time. Uploads may take as long as they need. */
const HEADERS_TIMEOUT_MS = 10_000;

/** Headers of every answer: nothing is loaded from elsewhere, no inline script runs, and no other site can frame the page. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; manifest-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-store',
};

/** Creates the HTTP server of the page without its routes. Every request passes the guard first. */
export function createServer(guard: Guard, log: Logger): FastifyInstance {
  const app = fastify({
    ...{ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true, exposeHeadRoutes: true },
    http: { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 },
  });
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data: unknown) => {
    const { error, data: value } = schema.safeParse(data);
    if (error === undefined) return { value };
    const faults = error.issues.map(({ path, message }) => [...path, message].join(': '));
    return {
      error: new HttpError(400, 'INVALID_REQUEST', `Invalid ${httpPart ?? 'request'}: ${faults.join('; ')}.`),
    };
  });
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    await guard.check(request);
  });
  app.setNotFoundHandler((request) => {
    throw new HttpError(404, 'NOT_FOUND', `There is nothing at ${visibleText(request.url)}.`);
  });
  app.setErrorHandler((error: FastifyError | HttpError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500)
      log.error(`page: ${request.method} ${visibleText(request.url)} failed: ${toError(error).message}`);
    void reply.code(status).send({ error: { code: error.code, message: error.message } });
  });
  return app;
}
