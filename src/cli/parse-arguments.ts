import { InvalidArgumentError } from 'commander';

/** Parses a job ID. */
export function parseJobId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a job ID, as shown by `framekiln status`.');
}

/** Parses a whole number, which may be negative. */
export function parseInteger(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

/** Parses a number, and returns any other text unchanged for the recipe schema to validate. */
export function numberOrText(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}
