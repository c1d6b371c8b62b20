import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';

const Session = z.object({
  token: z.string().nullable().meta({ description: 'the token for changes; null before signing in' }),
});

/** How a browser gets the token: on this machine it is given, elsewhere the user enters it once. */
export function addSessionRoutes(app: FastifyInstance, { guard, token }: PageContext): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/api/session', summary: 'The token for changes, for those who may read' },
    answer: Session,
    // Other sites cannot read the answer: there is no CORS header, and their name is not an allowed host.
    handle: async ({ request }) => ({ token: (await guard.mayRead(request)) ? token : null }),
  });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/session', summary: 'Sign in with the token; sets a cookie for reading' },
    ...{ body: z.object({ token: z.string().max(200) }), answer: Session },
    handle: ({ body, request, reply }) => {
      if (!guard.isRight(request, body.token))
        throw new HttpError(
          401,
          'WRONG_TOKEN',
          'This is not the token of this page; to print it: framekiln page',
        );
      guard.remember(request, reply);
      return { token };
    },
  });
}
