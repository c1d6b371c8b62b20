import { z } from 'zod';
import { ConfigurationError } from '../domain/errors.ts';
import { PANE_LAYOUTS, type Recipe, type Span } from '../domain/recipe.ts';
import { describeIssue } from './describe-issue.ts';

const People = z
  .array(z.int().min(1))
  .min(1)
  .max(16)
  .refine((ids) => new Set(ids).size === ids.length, { error: 'a person is named twice' });

const CropShape = z.strictObject({
  x: z.int(),
  y: z.int(),
  width: z.int().min(2),
  height: z.int().min(2),
});

const SpanShape = z.strictObject({
  from: z.int().min(0),
  to: z.int().min(1),
  layout: z.enum([...PANE_LAYOUTS, 'whole']).optional(),
  single: z.enum(['full', 'own-side']).optional(),
  people: People.optional(),
  crops: z.array(CropShape).min(1).max(4).optional(),
});

const Corrections = z.strictObject({ people: People.optional(), spans: z.array(SpanShape).optional() });

/**
 * Parses the recipe in a sidecar file, which may also have corrections of a split screen: `people` and `spans`.
 *
 * @param parse parses the other keys
 * @throws ConfigurationError with all faults of the corrections, or all of the other keys
 */
export function parseSidecarRecipe(request: unknown, parse: (request: unknown) => Recipe): Recipe {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return parse(request);
  const { people, spans, ...others } = request as Record<string, unknown>;
  const recipe = parse(others);
  const given = Object.entries({ people, spans }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return recipe;
  if (recipe.pipeline !== 'dual-face')
    throw invalid(given.map(([key]) => `the ${recipe.pipeline} pipeline has no key ${key}`));
  const parsed = Corrections.safeParse(Object.fromEntries(given));
  if (!parsed.success)
    throw invalid(parsed.error.issues.flatMap((issue) => describeIssue(issue, validKeysAt(issue.path))));
  const sorted = [...(parsed.data.spans ?? [])].sort((a, b) => a.from - b.from) as Span[];
  const faults = faultsOf(sorted);
  if (faults.length > 0) throw invalid(faults);
  return {
    ...recipe,
    ...(parsed.data.people === undefined ? {} : { people: parsed.data.people }),
    ...(sorted.length === 0 ? {} : { spans: sorted }),
  };
}

function validKeysAt(path: readonly PropertyKey[]): string[] {
  return Object.keys(path.includes('crops') ? CropShape.shape : SpanShape.shape);
}

/** What is wrong with spans, in order, that are correct each for itself. */
function faultsOf(spans: readonly Span[]): string[] {
  return spans.flatMap((span, i) => {
    const { from, to, layout, single, people, crops } = span;
    const name = `the span from ${from} to ${to}`;
    const next = spans[i + 1];
    const nothing = layout ?? single ?? people ?? crops;
    return [
      ...(to < from ? [`${name} ends before it begins`] : []),
      ...(to === from ? [`${name} is empty: to is the first frame after the span`] : []),
      ...(nothing === undefined ? [`${name} changes nothing`] : []),
      ...(layout === 'whole' && crops !== undefined ? [`${name} has both crops and the layout whole`] : []),
      ...(next !== undefined && next.from < to
        ? [`${name} and the span from ${next.from} to ${next.to} overlap`]
        : []),
    ];
  });
}

function invalid(faults: readonly string[]): ConfigurationError {
  return new ConfigurationError(`Invalid corrections: ${faults.join('; ')}.`, faults);
}
