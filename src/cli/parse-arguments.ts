import { InvalidArgumentError } from 'commander';

/** A job's number as `framekiln status` shows it. */
export function parseJobId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be the number of a job, as `framekiln status` shows it.');
}

/** A whole number, also below zero. */
export function parseInteger(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

/** A number where the text is one, else the text: what is allowed is the recipe schema's question. */
export function numberOrText(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}
