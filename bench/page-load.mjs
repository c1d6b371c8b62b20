/**
 * How soon the page can be used in a real Chromium: a daemon with a queue of jobs is started, and the page is opened with an empty
 * cache, in turns as fast as this machine allows and as on a phone (processor 4 times slower, 1.6 Mbit/s, 150 ms round trip).
 *
 *   npm run build && node bench/page-load.mjs [--rounds 5] [--jobs 20]
 *
 * Prints medians with their range: the first text, the state of the daemon on the page, time to interactive (the end of the last task
 * of more than 50 ms before 5 quiet seconds, or the state if there was none; https://web.dev/articles/tti), total blocking
 * time (what tasks took beyond 50 ms), and the bytes on the wire.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { formatTable } from '../dist/cli/format-table.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, jobs: { type: 'string', default: '20' } },
});
const MAIN = resolve(import.meta.dirname, '../dist/main.js');
const PORT = '17749';
const ADDRESS = `http://127.0.0.1:${PORT}/`;
const WAIT = { timeout: 120_000 };
const QUIET_MS = 5_000;
const PHONE = { latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8, offline: false };

const work = mkdtempSync(join(tmpdir(), 'framekiln-page-load-'));
const home = join(work, 'home');
const daemon = startDaemon();
const ended = once(daemon, 'exit');
let context = null;
const found = { desktop: [], phone: [] };
try {
  context = await chromium.launchPersistentContext(join(work, 'profile'), {
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    viewport: { width: 1280, height: 800 },
  });
  await fillQueue(await context.newPage(), Number(values.jobs));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const device of ['desktop', 'phone']) found[device].push(await measure(device));
} finally {
  await context?.close();
  daemon.kill();
  await ended;
  rmSync(work, { recursive: true, force: true });
}
const COLUMNS = [
  ['FIRST TEXT', 'paintMs', 'ms'],
  ['STATE', 'stateMs', 'ms'],
  ['INTERACTIVE', 'interactiveMs', 'ms'],
  ['BLOCKING', 'blockingMs', 'ms'],
  ['BYTES', 'bytes', ''],
];
const rows = Object.entries(found).map(([device, loads]) => [
  device,
  ...COLUMNS.map(([, key, unit]) => `${medianAndRange(loads.map((load) => load[key]))} ${unit}`.trim()),
]);
for (const line of formatTable(['DEVICE', ...COLUMNS.map(([header]) => header)], rows)) console.log(line);

/** A daemon with a paused queue. */
function startDaemon() {
  mkdirSync(join(home, 'input/lanczos-2x'), { recursive: true });
  writeFileSync(
    join(home, 'framekiln.yaml'),
    'intake: { settleSeconds: 0.2 }\nestimate: { measure: false }\n',
  );
  execFileSync(process.execPath, [MAIN, 'pause', '--home', home], { stdio: 'ignore' });
  const env = { ...process.env, FRAMEKILN_PAGE_ENABLED: 'true', FRAMEKILN_PAGE_PORT: PORT };
  return spawn(process.execPath, [MAIN, 'start', '--home', home], { env, stdio: 'ignore' });
}

async function fillQueue(page, count) {
  for (const startedAtMs = Date.now(); ;) {
    try {
      await page.goto(ADDRESS);
      break;
    } catch (error) {
      if (Date.now() - startedAtMs > WAIT.timeout) throw error;
      await new Promise((resume) => setTimeout(resume, 200));
    }
  }
  for (let i = 0; i < count; i++)
    execFileSync('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25', '-frames:v', String(i + 2)],
      join(home, `input/lanczos-2x/clip ${i}.mp4`),
    ]);
  await until(
    page,
    `fetch('api/status').then((answer) => answer.json()).then(({ counts }) => counts.queued === ${count})`,
  );
  await page.close();
}

/** Opens the page once, with an empty cache. */
async function measure(device) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.clearBrowserCache');
  if (device === 'phone') {
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await session.send('Network.emulateNetworkConditions', PHONE);
  }
  let bytes = 0;
  // The events go on for ever, and are not needed to use the page.
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.addInitScript(`
    globalThis.longTasks = [];
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ startTime, duration }) => [startTime, duration])))
      .observe({ type: 'longtask', buffered: true });
    new MutationObserver(() => {
      const shown = document.querySelector('nav .status:not(.loading)');
      if (shown !== null) globalThis.stateMs ??= performance.now();
    }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });`);
  await page.goto(ADDRESS);
  const { stateMs, paintMs, tasks } = await until(
    page,
    `globalThis.stateMs !== undefined
      && performance.now() - Math.max(stateMs, ...longTasks.map(([at, ms]) => at + ms)) > ${QUIET_MS}
      && { stateMs, tasks: longTasks, paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime }`,
  );
  await page.close();
  return {
    ...{ paintMs, stateMs, bytes },
    interactiveMs: Math.max(stateMs, ...tasks.map(([at, ms]) => at + ms)),
    blockingMs: tasks.reduce((sum, [, ms]) => sum + ms - 50, 0),
  };
}

/** Asks the page until the answer is true. The policy of the page rules out waitForFunction. */
async function until(page, expression) {
  for (const startedAtMs = Date.now(); ;) {
    const answer = await page.evaluate(expression);
    if (answer) return answer;
    if (Date.now() - startedAtMs > WAIT.timeout) throw new Error(`no answer to ${expression}`);
    await new Promise((resume) => setTimeout(resume, 250));
  }
}

function medianAndRange(numbers) {
  const sorted = numbers.map(Math.round).sort((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]} [${sorted[0]}–${sorted.at(-1)}]`;
}
