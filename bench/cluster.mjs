/**
 * How well one video is spread over the workers of a cluster: a lanczos job whose encoder waits some seconds for each batch, as
 * a model on a GPU would, with 1, 2 and 4 workers, and with 4 of which one is killed. The time is that from the plan to the last
 * row; the efficiency of N workers is T(1) / (N × T(N)). All outputs are compared frame by frame. Workers, coordinator and a
 * PostgreSQL of its own run on this machine. Prints a table and writes bench/results/cluster.json.
 *
 *   npm run build && node bench/cluster.mjs [--batches 24] [--seconds 2] [--workers 1,2,4]
 */
import './no-telemetry.mjs';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../dist/cli/format-table.js';
import { makeClip, frameMd5 } from './cluster/clip.mjs';
import { makeHome, mountsBelow, untilLines, waitingFfmpeg } from './cluster/homes.mjs';
import { startPostgres } from './cluster/postgres.mjs';

const { values } = parseArgs({
  options: {
    batches: { type: 'string', default: '24' },
    seconds: { type: 'string', default: '2' },
    workers: { type: 'string', default: '1,2,4' },
  },
});
const [batches, seconds] = [values.batches, values.seconds].map(Number);
const main = resolve(import.meta.dirname, '../dist/main.js');
const root = mkdtempSync(join(tmpdir(), 'framekiln-cluster-'));
const postgres = await startPostgres();
const path = waitingFfmpeg(join(root, 'bin'), seconds);
const running = new Set();
const loadBefore = loadavg()[0];
// Ctrl-C and kill: what was started ends with this process.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (cleanUp(), process.exit(1)));

try {
  const clip = makeClip(join(root, 'clip.mp4'), batches);
  const rows = [];
  for (const count of values.workers.split(',').map(Number)) rows.push(await measure(clip, count, false));
  const most = Math.max(...rows.map(({ workers }) => workers));
  rows.push(await measure(clip, most, true));
  print(rows);
} finally {
  cleanUp();
}

function cleanUp() {
  for (const each of running) stop(each, 'SIGKILL');
  postgres.stop();
  for (const mount of mountsBelow(root)) execFileSync('umount', ['--lazy', mount]);
  rmSync(root, { recursive: true, force: true });
}

/** One job on a cluster of its own. */
async function measure(clip, count, kill) {
  const place = join(root, `${count}${kill ? '-killed' : ''}`);
  const store = join(place, 'share');
  mkdirSync(store, { recursive: true });
  const database = postgres.createDatabase();
  const home = makeHome(join(place, 'coordinator'), {
    cluster: { database, store },
    log: { level: 'debug' },
  });
  const workers = [];
  for (let i = 1; i <= count; i++) {
    const workerHome = makeHome(join(place, `worker-${i}`), {});
    const args = ['--cluster', database, '--store', store, '--name', `worker-${i}`];
    workers.push(start(['worker', '--home', workerHome, ...args]));
    await untilLines(join(workerHome, 'logs/cluster-worker.log'), /Waiting until the daemon/, 1);
  }
  const job = start(['run', clip, '--home', home, '--model', 'lanczos', '--scale', '2', '--skip-checks']);
  const log = join(home, 'logs/framekiln.log');
  const finished = /batch \d+ finished by/;
  const begunMs = await untilLines(log, /given to the cluster/, 1);
  if (kill) {
    await untilLines(log, finished, Math.floor(batches / 3));
    stop(workers[0], 'SIGKILL');
  }
  const all = untilLines(log, finished, batches);
  const status = await job.ended;
  if (status !== 0) throw new Error(`framekiln run ended with ${status}.`);
  const endedMs = await all;
  const cpuSeconds = workers.reduce((sum, { child }) => sum + cpuSecondsOf(child.pid), 0);
  for (const worker of workers) stop(worker, 'SIGTERM');
  await Promise.all(workers.map(({ ended: end }) => end));
  const frames = frameMd5(join(home, 'output/clip.mp4'));
  console.error(
    `${count} workers${kill ? ', one killed' : ''}: ${((endedMs - begunMs) / 1000).toFixed(1)} s`,
  );
  return { workers: count, killed: kill, seconds: (endedMs - begunMs) / 1000, cpuSeconds, frames };
}

/** CPU time of a process and of its children that have ended; 0 if it was killed. */
function cpuSecondsOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  } catch {
    return 0;
  }
}

function start(args) {
  const env = {
    ...process.env,
    PATH: path,
    FRAMEKILN_PAGE_ENABLED: 'false',
    FRAMEKILN_ESTIMATE_MEASURE: 'false',
  };
  const child = spawn(process.execPath, [main, ...args], { detached: true, stdio: 'ignore', env });
  const entry = { child, ended: new Promise((end) => child.once('exit', end)) };
  running.add(entry);
  void entry.ended.then(() => running.delete(entry));
  return entry;
}

/** Signals a process and all that it has started. */
function stop({ child }, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended.
  }
}

function print(rows) {
  const alone = rows[0].seconds * rows[0].workers;
  const table = rows.map(({ workers, killed, seconds: time, cpuSeconds, frames }) => ({
    workers,
    killed,
    seconds: time,
    cpuSeconds,
    efficiency: killed ? null : alone / (workers * time),
    sameFrames: JSON.stringify(frames) === JSON.stringify(rows[0].frames),
  }));
  const most = rows.at(-2);
  const cost = rows.at(-1).seconds - most.seconds;
  const cells = table.map((row) => [
    row.killed ? `${row.workers}, one killed` : String(row.workers),
    row.seconds.toFixed(1),
    row.cpuSeconds.toFixed(1),
    row.efficiency === null ? '-' : row.efficiency.toFixed(3),
    row.sameFrames ? 'yes' : 'NO',
  ]);
  for (const line of formatTable(
    ['WORKERS', 'SECONDS', 'CPU SECONDS OF WORKERS', 'EFFICIENCY', 'SAME FRAMES'],
    cells,
  ))
    console.log(line);
  console.log(
    `a killed worker costs ${cost.toFixed(1)} s (a batch takes ${seconds} s); load ${loadBefore.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after`,
  );
  mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
  const report = {
    cpu: cpus()[0].model,
    batches,
    secondsPerBatch: seconds,
    rows: table,
    killedCostsSeconds: cost,
  };
  writeFileSync(join(import.meta.dirname, 'results/cluster.json'), `${JSON.stringify(report, null, 2)}\n`);
}
