import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { costOf } from '../../../src/cloud/worker/cost.ts';

test('each claim costs what its own machine costs', () => {
  const cost = costOf(
    [
      { secondsHeld: 1800, pricePerHour: 0.34 },
      { secondsHeld: 900, pricePerHour: 1.2 },
    ],
    120,
  );
  expect(cost.secondsHeld).toBe(2700);
  expect(cost.costUsd).toBeCloseTo(0.17 + 0.3, 10);
  expect(cost.costPerOutputMinuteUsd).toBeCloseTo(0.235, 10);
});

test('without the price of one machine, the cost is not known', () => {
  const cost = costOf(
    [
      { secondsHeld: 1800, pricePerHour: 0.34 },
      { secondsHeld: 900, pricePerHour: null },
    ],
    120,
  );
  expect(cost).toEqual({ secondsHeld: 2700, claims: 2, costUsd: null, costPerOutputMinuteUsd: null });
});

test('the cost table of docs/aws.md is right', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/aws.md'), 'utf8');
  const table = text.slice(text.search(/\| frames per second of the machine/));
  const rows = [...table.matchAll(/^\| ([\d.]+) +\| (\d+) +\| ([\d.]+) +\| ([\d.]+) +\|$/gm)].map((row) =>
    row.slice(1).map(Number),
  );
  expect(rows).toHaveLength(5);
  for (const [speed = 0, seconds, ...prices] of rows) {
    const secondsHeld = (60 * 25) / speed;
    expect(Math.round(secondsHeld)).toBe(seconds);
    const costs = [0.34, 1.006].map((pricePerHour) => costOf([{ secondsHeld, pricePerHour }], 60).costUsd);
    expect(costs.map((cost) => cost?.toFixed(3))).toEqual(prices.map((price) => price.toFixed(3)));
  }
});
