import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { GpuFigures } from '../../../src/observability/metrics.ts';
import { ALERT_RULES, type AlertFacts } from '../../../src/page/alerts/alert-rules.ts';
import { AlertWatch } from '../../../src/page/alerts/alert-watch.ts';
import { loggerInto } from '../../helpers/in-process-worker.ts';

const CALM: AlertFacts = { gpus: [], frameP95Ms: null, queueP99: null };
const MINUTE_MS = 60_000;

function gpu(percent: number, usedBytes = 1e9): GpuFigures {
  return {
    ...{ index: '0', utilizationPercent: percent, usedBytes, totalBytes: 24e9, celsius: 40 },
    ...{ decoderPercent: null, encoderPercent: null },
  };
}

/** A watch whose clock and facts the test sets. */
function watched() {
  const lines: string[] = [];
  const now = { ms: 0, facts: CALM };
  const watch = new AlertWatch(
    () => Promise.resolve(now.facts),
    loggerInto(lines),
    () => now.ms,
  );
  const at = async (minutes: number, facts: AlertFacts): Promise<string[]> => {
    Object.assign(now, { ms: minutes * MINUTE_MS, facts });
    await watch.look();
    return watch.active.map(({ code }) => code);
  };
  return { watch, lines, at };
}

it.each<[string, AlertFacts, number, string]>([
  [
    'GPU_SATURATED',
    { ...CALM, gpus: [gpu(96)] },
    15,
    'alert: GPU 0 is more than 95 % busy (for 15 minutes or longer); ',
  ],
  [
    'VRAM_NEARLY_FULL',
    { ...CALM, gpus: [gpu(0, 22e9)] },
    5,
    'alert: GPU 0 uses more than 87.5 % of its memory (for 5 minutes or longer); close other programs that use the GPU, or lower streams.max',
  ],
  ['SLOW_FRAMES', { ...CALM, gpus: [gpu(50)], frameP95Ms: 101 }, 10, 'alert: Frames take more than 100 ms'],
  ['LONG_QUEUE', { ...CALM, queueP99: 21 }, 10, 'alert: More than 20 images wait for a model'],
])('%s is logged once when it begins and once when it ends', async (code, facts, minutes, line) => {
  const { lines, at } = watched();
  expect(await at(0, facts)).toEqual([]);
  expect(await at(minutes - 0.1, facts)).toEqual([]);
  expect(lines).toEqual([]);
  expect(await at(minutes, facts)).toEqual([code]);
  expect(await at(minutes + 5, facts)).toEqual([code]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(line);
  expect(await at(minutes + 6, CALM)).toEqual([]);
  expect(lines[1]).toMatch(/^alert ended: /);
  expect(lines).toHaveLength(2);
});

it('a limit that is not exceeded all the time is no alert, and slow frames on a CPU are none', async () => {
  const { lines, at } = watched();
  await at(0, { ...CALM, queueP99: 30 });
  await at(9, CALM);
  await at(10, { ...CALM, queueP99: 30 });
  expect(await at(19, { ...CALM, queueP99: 30 })).toEqual([]);
  await at(20, { ...CALM, frameP95Ms: 5000 });
  expect(await at(60, { ...CALM, frameP95Ms: 5000 })).toEqual([]);
  expect(lines).toEqual([]);
});

it('a look at which the GPUs cannot be measured neither begins nor ends an alert about them', async () => {
  const { lines, at } = watched();
  const busy = { ...CALM, gpus: [gpu(96, 22e9)], frameP95Ms: 101 };
  const unmeasured = { ...busy, gpus: null };
  await at(0, busy);
  expect(await at(15, unmeasured)).toEqual([]);
  const all = ['GPU_SATURATED', 'VRAM_NEARLY_FULL', 'SLOW_FRAMES'];
  expect(await at(16, busy)).toEqual(all);
  expect(await at(17, unmeasured)).toEqual(all);
  expect(await at(18, busy)).toEqual(all);
  expect(lines).toHaveLength(3);
  // How long frames take is known without nvidia-smi.
  expect(await at(19, { ...unmeasured, frameP95Ms: 20 })).toEqual(all.slice(0, 2));
  expect(await at(20, CALM)).toEqual([]);
  expect(lines.filter((line) => line.startsWith('alert ended: '))).toHaveLength(3);
});

it('the limits and times are those of the rules for Prometheus', () => {
  const path = resolve(import.meta.dirname, '../../../packaging/monitoring/framekiln-alerts.yml');
  const Rules = z.object({
    groups: z.array(
      z.object({
        rules: z.array(z.object({ alert: z.string(), expr: z.string(), for: z.string().optional() })),
      }),
    ),
  });
  const { groups } = Rules.parse(parse(readFileSync(path, 'utf8')));
  const forPrometheus = groups.flatMap(({ rules }) => rules);
  for (const { code, limit, forMinutes } of ALERT_RULES) {
    const name = `framekiln${code.replaceAll('_', '').toLowerCase()}`;
    const rule = forPrometheus.find(({ alert }) => alert.toLowerCase() === name);
    const factor = code === 'VRAM_NEARLY_FULL' ? 100 : 1;
    expect(Number(/> ([\d.]+)/.exec(rule?.expr ?? '')?.[1]) * factor, name).toBe(limit);
    expect(rule?.for, name).toBe(`${forMinutes}m`);
  }
});
