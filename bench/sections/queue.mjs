import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { homeAt } from '../../dist/config/home.js';
import { SAFE_DEFAULTS } from '../../dist/config/settings.js';
import { makeFolder } from '../../dist/lib/make-folder.js';
import { openQueue } from '../../dist/queue/queue.js';

const HEADER = ['OPERATION', 'JOBS IN THE QUEUE', 'MEDIAN MS', 'P99 MS'];
/** How often a single operation is measured. */
const SAMPLES = 500;
const ROWS_OF_THE_PAGE = 50;
/** `framekiln status` lists every job; a slow machine need not wait for its end. */
const STATUS_LIMIT_MS = 60_000;

/**
 * Operations of the queue, in a database of its own, which is on the disk like that of a home.
 *
 * @param {{ root: string, jobs: number }} options
 */
export async function measureQueue({ root, jobs }) {
  const home = homeAt(mkdtempSync(join(tmpdir(), 'framekiln-bench-')));
  try {
    makeFolder(home.stateDir);
    const queue = openQueue(home.databaseFile);
    const samples = Math.max(1, Math.min(SAMPLES, jobs >> 1));
    // Filled in one transaction, and then one job at a time, as files arrive.
    queue.inTransaction(() => {
      for (let i = 0; i < jobs - samples; i++) queue.jobs.enqueue(newJob(i));
    });
    const operations = {
      'add a job': times(samples, (i) => queue.jobs.enqueue(newJob(jobs - samples + i))),
      'claim a job': times(samples, () => {
        if (queue.leases.claim({ owner: '1:1:a', nowMs: jobs, leaseMs: 30_000 }) === null)
          throw new Error('no job could be claimed');
      }),
      'count the jobs by state': times(20, () => queue.jobs.countByState()),
      'list the first jobs, for the page': times(20, () => {
        queue.jobs.listWindow({
          ...{ states: ['queued', 'running'], text: '', order: 'queue', offset: 0, limit: ROWS_OF_THE_PAGE },
        });
      }),
    };
    queue.close();
    operations[`framekiln status (at most ${STATUS_LIMIT_MS / 1000} s)`] = [await statusMs(root, home)];
    const rows = Object.entries(operations).map(([operation, ms]) => ({ operation, ...summaryOf(ms) }));
    const cells = rows.map(({ operation, medianMs, p99Ms }) => [
      ...[operation, String(jobs), medianMs.toFixed(2), p99Ms.toFixed(2)],
    ]);
    return { header: HEADER, cells, data: { jobs, rows } };
  } finally {
    rmSync(home.root, { recursive: true });
  }
}

async function statusMs(root, home) {
  const startedAt = performance.now();
  await promisify(execFile)(process.execPath, [join(root, 'dist/main.js'), 'status', '--home', home.root], {
    ...{ maxBuffer: 2 ** 30, timeout: STATUS_LIMIT_MS },
  }).catch((error) => {
    if (!error.killed) throw error;
  });
  return performance.now() - startedAt;
}

function newJob(i) {
  return {
    ...{ origin: 'watch', recipe: SAFE_DEFAULTS.recipe, priority: i % 10, nowMs: i },
    ...{ sourcePath: `/nowhere/input/${i}.mp4`, outputPath: `/nowhere/output/${i}.mp4` },
    fingerprint: i.toString(16).padStart(64, '0'),
  };
}

function times(count, operation) {
  return Array.from({ length: count }, (_, i) => {
    const startedAt = performance.now();
    operation(i);
    return performance.now() - startedAt;
  });
}

function summaryOf(ms) {
  const sorted = ms.toSorted((a, b) => a - b);
  return { medianMs: sorted[sorted.length >> 1], p99Ms: sorted[Math.floor(sorted.length * 0.99)] };
}
