import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CloudMetrics, METRICS_FILE } from '../../../src/cloud/worker/metrics.ts';
import { homeAt } from '../../../src/config/home.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

function metricsWithClock() {
  const home = homeAt(temporaryFolder());
  mkdirSync(home.logs, { recursive: true });
  const clock = { ms: 0 };
  const lines: Record<string, number>[] = [];
  const queue = { depth: () => Promise.resolve({ visible: 6, inFlight: 2 }) };
  const context = { home, log: silentLogger, queue, pricePerHour: 3.6, nowMs: () => clock.ms };
  const metrics = new CloudMetrics(context, ['https://sqs/1/jobs'], (line) => {
    lines.push(JSON.parse(line) as Record<string, number>);
  });
  return { metrics, clock, lines, text: () => readFileSync(join(home.logs, METRICS_FILE), 'utf8') };
}

test('CloudWatch gets what is new, Prometheus the total, also while a job is processed', async () => {
  const { metrics, clock, lines, text } = metricsWithClock();
  metrics.begun();
  clock.ms = 60_000;
  await metrics.write();
  clock.ms = 90_000;
  metrics.ended('done');
  await metrics.write();
  expect(lines).toMatchObject([
    { jobs_done: 0, busy_seconds: 60, backlog_seconds: 0, queue_visible: 6, queue_in_flight: 2 },
    { jobs_done: 1, busy_seconds: 30, backlog_seconds: 540 },
  ]);
  expect(lines.map((line) => line['cost_usd'])).toEqual([expect.closeTo(0.06), expect.closeTo(0.03)]);
  expect(text()).toContain(
    '# TYPE framekiln_cloud_busy_seconds_total counter\nframekiln_cloud_busy_seconds_total 90\n',
  );
  expect(text()).toContain('# TYPE framekiln_cloud_queue_visible gauge\nframekiln_cloud_queue_visible 6\n');
});

test('a message that could not be ended counts as time only', async () => {
  const { metrics, clock, lines } = metricsWithClock();
  metrics.begun();
  clock.ms = 10_000;
  metrics.ended(null);
  await metrics.write();
  expect(lines).toMatchObject([{ busy_seconds: 10, jobs_done: 0, jobs_failed: 0, interruptions: 0 }]);
});
