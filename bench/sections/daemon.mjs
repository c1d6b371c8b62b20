import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { figure } from '../figure.mjs';
import { childrenOf, isWorker, megabytes } from '../process-memory.mjs';

const HEADER = ['DAEMON', 'VALUE'];
const STARTS = 3;
/** Pages that follow the state, as browsers do. */
const PAGES = 5;
const START_LIMIT_MS = 60_000;
const SAMPLE_EVERY_MS = 1_000;
/** Work counts from the end of the first batch on. */
const EARLY_MS = 10_000;

/**
 * The start of the daemon, and its memory and responsiveness while it upscales.
 *
 * @param {{ root: string, seconds: number, size: string, model: string }} options `seconds`: of work, counted from the
 *   end of the first batch on
 */
export async function measureDaemon({ root, seconds, size, model }) {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
  try {
    const starts = [];
    for (let i = 0; i < STARTS; i++) {
      const daemon = await startDaemon(root, join(folder, `start-${i}`), model);
      starts.push(daemon.startMs);
      await daemon.stop();
    }
    const daemon = await startDaemon(root, join(folder, 'home'), model);
    try {
      makeClip(folder, size, join(daemon.home, 'input'));
      await openPages(daemon);
      const memory = await sampleMemory(daemon, seconds);
      return report({ starts, memory, metrics: await daemon.metrics(), seconds });
    } finally {
      await daemon.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report({ starts, memory, metrics, seconds }) {
  const [least, middle, most] = starts.toSorted((a, b) => a - b).map(Math.round);
  const p99Ms = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(metrics)?.[1] ?? NaN) * 1000;
  const cells = [
    ['start until the page answers', `${middle} ms (${least} to ${most})`],
    [`interval of a 10 ms timer, p99 during the work, ${PAGES} pages open`, figure(p99Ms, 1, ' ms')],
  ];
  for (const name of ['daemon', 'worker']) {
    const { early, middleHalf, lastHalf, end } = memory[name];
    cells.push([`${name}: memory after ${EARLY_MS / 1000} s of work`, figure(early, 0, ' MB')]);
    cells.push([`${name}: memory after ${seconds} s of work`, figure(end, 0, ' MB')]);
    cells.push([
      `${name}: growth from the second quarter to the last half`,
      figure((lastHalf / middleHalf - 1) * 100, 1, ' %'),
    ]);
  }
  return { header: HEADER, cells, data: { startMs: starts, eventLoopP99Ms: p99Ms, memory } };
}

async function startDaemon(root, home, model) {
  const port = await freePort();
  mkdirSync(join(home, 'input'), { recursive: true });
  writeFileSync(
    join(home, 'framekiln.yaml'),
    `intake: { settleSeconds: 0.2 }\nrecipe: { model: ${model}, scale: 2 }\npage: { port: ${port} }\n`,
  );
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), 'start', '--home', home], {
    stdio: 'ignore',
    env: { ...process.env, FRAMEKILN_PAGE_ENABLED: 'true', FRAMEKILN_ESTIMATE_MEASURE: 'false' },
  });
  const exited = once(child, 'exit');
  const ask = async (path) => (await globalThis.fetch(`http://127.0.0.1:${port}${path}`)).text();
  while (!(await ask('/readyz').then(Boolean, () => false))) {
    if (performance.now() - startedAt > START_LIMIT_MS) {
      child.kill('SIGTERM');
      await exited;
      throw new Error(`The page did not answer within ${START_LIMIT_MS / 1000} s:\n${logOf(home)}`);
    }
    if (child.exitCode !== null) throw new Error(`The daemon ended with ${child.exitCode}:\n${logOf(home)}`);
    await delay(10);
  }
  return {
    ...{ home, pid: child.pid, startMs: performance.now() - startedAt },
    metrics: () => ask('/metrics'),
    follow: () => globalThis.fetch(`http://127.0.0.1:${port}/api/events`),
    isRunning: () => child.exitCode === null,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Follows the events of the daemon, until it ends. */
async function openPages(daemon) {
  for (let i = 0; i < PAGES; i++) {
    const response = await daemon.follow();
    if (!response.ok) throw new Error(`The events of the page are answered with ${response.status}.`);
    const read = async () => {
      for await (const part of response.body) void part;
    };
    read().catch(() => undefined);
  }
}

/** The log itself, as the home is removed. */
function logOf(home) {
  const path = join(home, 'logs/framekiln.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : 'It has written no log.';
}

/** A clip that lasts longer than any measurement, with noise, because parts that do not change would not be computed. */
function makeClip(folder, size, input) {
  const clip = join(folder, 'clip.mp4');
  const source = `mandelbrot=size=${size}:rate=25,noise=alls=12:allf=t`;
  const options = ['-frames:v', '250', '-pix_fmt', 'yuv420p', '-preset', 'ultrafast'];
  const ffmpeg = ['-hide_banner', '-loglevel', 'error', '-nostdin'];
  execFileSync('ffmpeg', [...ffmpeg, '-f', 'lavfi', '-i', source, ...options, clip]);
  const long = join(folder, 'long.mp4');
  execFileSync('ffmpeg', [...ffmpeg, '-stream_loop', '24', '-i', clip, '-c', 'copy', long]);
  renameSync(long, join(input, 'clip.mp4'));
}

async function sampleMemory(daemon, seconds) {
  const samples = [];
  let workSince = null;
  while (workSince === null || performance.now() < workSince + seconds * 1000) {
    await delay(SAMPLE_EVERY_MS);
    if (!daemon.isRunning()) throw new Error(`The daemon ended:\n${logOf(daemon.home)}`);
    const worker = childrenOf(daemon.pid).find(isWorker);
    if (workSince === null && worker !== undefined && (await hasFrame(daemon))) workSince = performance.now();
    if (workSince === null || worker === undefined) continue;
    const ms = performance.now() - workSince;
    samples.push({ ms, daemon: megabytes(daemon.pid, 'VmRSS'), worker: megabytes(worker, 'VmRSS') });
  }
  return Object.fromEntries(
    ['daemon', 'worker'].map((name) => [name, growthOf(samples, name, seconds * 1000)]),
  );
}

/** Reading the metrics also begins a new period of the event loop's figures. */
async function hasFrame(daemon) {
  return (
    Number(/^framekiln_frames_total\{stage="transform"\} (\d+)/m.exec(await daemon.metrics())?.[1] ?? 0) > 0
  );
}

function growthOf(samples, name, durationMs) {
  const mean = (from, to) => {
    const inside = samples.filter(({ ms }) => ms >= from * durationMs && ms <= to * durationMs);
    // Of a short measurement on a busy machine, a part may have no sample.
    const part = inside.length > 0 ? inside : samples;
    return Math.round(part.reduce((sum, sample) => sum + sample[name], 0) / part.length);
  };
  const early = samples.find(({ ms }) => ms >= Math.min(EARLY_MS, durationMs / 2)) ?? samples.at(-1);
  const end = samples.at(-1);
  return {
    ...{ early: early?.[name], middleHalf: mean(0.25, 0.5), lastHalf: mean(0.5, 1), end: end?.[name] },
    samples: samples.map((sample) => ({ ms: Math.round(sample.ms), megabytes: sample[name] })),
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
