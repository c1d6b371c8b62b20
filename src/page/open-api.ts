import { z } from 'zod';
import type { DescribedRoute } from './add-route.ts';

/** Describes the routes as OpenAPI 3.1, from the schemas with which requests are checked. */
export function openApi(routes: readonly DescribedRoute[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describe(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Framekiln', version },
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
  };
}

function describe({ summary, params, query, body, answer }: DescribedRoute): Record<string, unknown> {
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')];
  const error = { description: 'error with `code` and `message`' };
  return {
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: asJson(body, 'input') } }),
    responses: {
      200: { description: summary, ...(answer === undefined ? {} : { content: asJson(answer, 'output') }) },
      default: error,
    },
  };
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query'): Record<string, unknown>[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, each]) => ({
    name,
    in: where,
    required: where === 'path',
    schema: jsonSchema(each, 'input'),
  }));
}

function asJson(schema: z.ZodType, side: 'input' | 'output'): Record<string, unknown> {
  return { 'application/json': { schema: jsonSchema(schema, side) } };
}

function jsonSchema(schema: z.ZodType, side: 'input' | 'output'): Record<string, unknown> {
  const found: Record<string, unknown> = { ...z.toJSONSchema(schema, { io: side, unrepresentable: 'any' }) };
  // The version of JSON Schema is that of the whole document.
  return Object.fromEntries(Object.entries(found).filter(([key]) => key !== '$schema'));
}
