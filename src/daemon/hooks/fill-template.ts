import { basename } from 'node:path';
import type { EndedJob } from '../../domain/ended-job.ts';
import { visibleText } from '../../lib/visible-text.ts';

/** What a template may contain, in braces. */
export const PLACEHOLDERS = ['id', 'state', 'name', 'source', 'output', 'code', 'message', 'text'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

/** The values of the placeholders. `text` is one sentence about the end of the job. */
export function placeholderValues(ended: EndedJob): Readonly<Record<Placeholder, string>> {
  const { jobId, state, sourcePath, outputPath, errorCode, errorMessage } = ended;
  const name = basename(sourcePath);
  const code = errorCode ?? '';
  const message = errorMessage?.replaceAll('\0', '') ?? '';
  const text = visibleText(state === 'done' ? `${name} is done` : `${name} has failed (${code}): ${message}`);
  return { id: String(jobId), state, name, source: sourcePath, output: outputPath, code, message, text };
}

/**
 * Replaces the placeholders in a template; other braces stay.
 *
 * @param quote how a value is written into the template
 */
export function fillTemplate(
  template: string,
  ended: EndedJob,
  quote: (value: string) => string = (value) => value,
): string {
  const values = placeholderValues(ended);
  return template.replaceAll(new RegExp(`\\{(${PLACEHOLDERS.join('|')})\\}`, 'g'), (_, name: Placeholder) =>
    quote(values[name]),
  );
}
