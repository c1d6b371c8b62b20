import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Metrics } from '../../../src/observability/metrics.ts';

const folder = resolve(import.meta.dirname, '../../../packaging/monitoring');
const rules = readFileSync(join(folder, 'framekiln-alerts.yml'), 'utf8');

const Dashboard = z.object({
  title: z.literal('Framekiln'),
  panels: z
    .array(
      z.object({
        title: z.string().min(1),
        type: z.enum(['timeseries', 'stat']),
        gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
        targets: z.array(z.object({ refId: z.string(), expr: z.string() })).min(1),
      }),
    )
    .min(10),
});
const dashboard = Dashboard.parse(
  JSON.parse(readFileSync(join(folder, 'grafana-dashboard.json'), 'utf8')) as unknown,
);

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const suffix = hasPromtool ? '' : ' (promtool is not installed; Debian has it in the package prometheus)';

it.skipIf(!hasPromtool)(`promtool accepts the alerts, and they fire at their limits${suffix}`, () => {
  for (const args of [
    ['check', 'rules', 'framekiln-alerts.yml'],
    ['test', 'rules', 'framekiln-alerts.test.yml'],
    ['check', 'config', '--syntax-only', 'prometheus.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
    expect({ status, output: status === 0 ? '' : stdout + stderr }, args.join(' ')).toEqual({
      ...{ status: 0, output: '' },
    });
  }
});

it('alerts and dashboard name only metrics that there are, and each metric that people watch', async () => {
  const metrics = new Metrics('1');
  const idle = { jobs: {}, gpus: [], freeBytes: {}, impairments: [], isQueuePaused: false };
  const names = [...(await metrics.render(idle)).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  metrics.close();
  const expressions = [
    ...[...rules.matchAll(/expr: (.*)/g)].map(([, expr = '']) => expr),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  const used = new Set(
    expressions.flatMap((expr) =>
      [...expr.matchAll(/\b(?:framekiln|gpu|vram|nvdec|nvenc|processing|queue|nodejs)_[a-z0-9_]+/g)].map(
        ([name]) => name.replace(/_bucket$/, ''),
      ),
    ),
  );
  expect([...used].filter((name) => !names.includes(name))).toEqual([]);
  for (const name of names.filter((each) => /^(gpu_u|vram|nv|processing|queue|framekiln_[fjr])/.test(each)))
    expect([...used], name).toContain(name);
});

it('no two panels of the dashboard overlap', () => {
  const cells = dashboard.panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => [`${x + (i % w)} ${y + Math.floor(i / w)}`, title] as const),
  );
  expect(new Set(cells.map(([cell]) => cell)).size).toBe(cells.length);
  expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
});
