import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

/** What a route is called with, as its schemas have parsed it. */
export interface Input<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** A route with the schemas of what it takes and answers, from which `/api/openapi.json` is written. */
export interface Route<Params, Query, Body, Answer> {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly summary: string;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Absent for a route that answers with something other than JSON, and sends it itself. */
  readonly answer?: z.ZodType<Answer>;
  /** How large a body may be, where the limit of the server is too small. */
  readonly bodyLimit?: number;
  readonly handle: (input: Input<Params, Query, Body>) => Answer | Promise<Answer>;
}

/** The description of a route, as `/api/openapi.json` needs it. */
export type DescribedRoute = Pick<
  Route<unknown, unknown, unknown, unknown>,
  'method' | 'url' | 'summary' | 'params' | 'query' | 'body' | 'answer'
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly described?: DescribedRoute;
  }
}

/** Adds a route whose parameters, query and body are checked before `handle` is called. */
export function addRoute<Params, Query, Body, Answer>(
  app: FastifyInstance,
  route: Route<Params, Query, Body, Answer>,
): void {
  const { method, url, params, query, body, bodyLimit, handle } = route;
  const schema = {
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
  };
  app.route({
    ...{ method, url, schema, config: { described: route } },
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    handler: (request, reply) =>
      handle({
        params: request.params as Params,
        query: request.query as Query,
        body: request.body as Body,
        ...{ request, reply },
      }),
  });
}
