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

/** Parses a whole number above 0. */
export function parsePositive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

/** Parses a number, and returns any other text unchanged for the recipe schema to validate. */
export function numberOrText(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

/** Parses a time such as `83`, `1:23` or `1:02:03.5`. @returns seconds */
export function parseTime(text: string): number {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,6}(?:\.\d+)?)$/.exec(text);
  const [hours, minutes, seconds] = [match?.[1], match?.[2], match?.[3]].map((part) => Number(part ?? 0));
  const isInOrder = match?.[2] === undefined || (seconds ?? 0) < 60;
  if (match === null || !isInOrder || (match[1] !== undefined && (minutes ?? 0) > 59))
    throw new InvalidArgumentError('Expected a time, such as 83, 1:23 or 1:02:03.5.');
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** Parses names separated by commas. */
export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Parses the length of a clip, from 0.1 to 10 seconds. */
export function parseClipSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,2}(\.\d+)?$/.test(text) && seconds >= 0.1 && seconds <= 10) return seconds;
  throw new InvalidArgumentError('Expected a number of seconds from 0.1 to 10.');
}
