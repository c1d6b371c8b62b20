import { expect, it } from 'vitest';
import { quietSpanAt } from '../../../src/daemon/quiet-hours.ts';

const at = (time: string): Date => new Date(`2026-11-21T${time}:00`);

it.each([
  ['08:00', ['08:00-18:00'], '08:00-18:00'],
  ['17:59', ['08:00-18:00'], '08:00-18:00'],
  ['18:00', ['08:00-18:00'], null],
  ['07:59', ['08:00-18:00'], null],
  ['23:30', ['22:00-07:30'], '22:00-07:30'],
  ['07:29', ['22:00-07:30'], '22:00-07:30'],
  ['07:30', ['22:00-07:30'], null],
  ['12:15', ['22:00-07:30', '12:00-13:00'], '12:00-13:00'],
  ['12:15', ['00:00-24:00'], '00:00-24:00'],
  ['12:15', [], null],
])('at %s with %j it is quiet: %s', (time, spans, span) => {
  expect(quietSpanAt(at(time), spans)).toBe(span);
});
