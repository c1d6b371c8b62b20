// `npm run docs:pictures -- [FOLDER]`: makes page.png and page.gif (10 s) of the real page while it upscales a test clip, with
// Chromium and ffmpeg. They are not committed; a release has them among its files.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const PORT = '17747';
const ADDRESS = `http://127.0.0.1:${PORT}/`;
const FRAMES = 100;
const FRAMES_PER_SECOND = 10;
const WAIT = { timeout: 300_000 };

const out = resolve(process.argv[2] ?? 'release');
const work = mkdtempSync(join(tmpdir(), 'framekiln-pictures-'));
const home = join(work, 'home');
const shots = join(work, 'shots');
for (const folder of [out, shots, join(home, 'input/lanczos-2x')]) mkdirSync(folder, { recursive: true });
writeFileSync(
  join(home, 'framekiln.yaml'),
  'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 4, frames: 8 }\nestimate: { measure: false }\n',
);
makeClip(join(home, 'input/lanczos-2x/Fractal.mp4'), 20, 3);
makeClip(join(home, 'input/Zoom into the valley.mp4'), 200, 2);
makeClip(join(home, 'input/Seahorses.mp4'), 200, 1);

const env = { ...process.env, FRAMEKILN_PAGE_ENABLED: 'true', FRAMEKILN_PAGE_PORT: PORT };
const daemon = spawn(process.execPath, [MAIN, 'start', '--home', home], { env, stdio: 'ignore' });
const ended = new Promise((end) => daemon.once('exit', end));
let context = null;
try {
  context = await chromium.launchPersistentContext(join(work, 'profile'), {
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    viewport: { width: 1280, height: 720 },
    colorScheme: 'dark',
  });
  const page = await context.newPage();
  await open(page);
  // The comparison of the model's first frames.
  await page.locator('.card.running .compare input').waitFor(WAIT);
  await page.screenshot({ path: join(out, 'page.png') });
  for (let i = 0; i < FRAMES; i++) {
    if (i === 60) await page.goto(`${ADDRESS}#/queue`);
    if (i === 80) await page.goto(`${ADDRESS}#/machine`);
    const slider = page.locator('.card.running .compare input');
    if (i >= 15 && i < 60 && (await slider.count()) > 0)
      await slider.first().fill(String(50 + 35 * Math.sin(((i - 15) / 45) * 2 * Math.PI)));
    await page.screenshot({ path: join(shots, `${String(i).padStart(3, '0')}.png`) });
  }
  makeGif();
} finally {
  await context?.close();
  daemon.kill();
  await ended;
  rmSync(work, { recursive: true, force: true });
}
console.log(`${join(out, 'page.png')}, ${join(out, 'page.gif')}`);

function makeGif() {
  run('ffmpeg', [
    ...['-v', 'error', '-y', '-framerate', String(FRAMES_PER_SECOND), '-i', join(shots, '%03d.png')],
    ...[
      '-vf',
      'scale=800:-1:flags=lanczos,split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=none',
    ],
    join(out, 'page.gif'),
  ]);
}

/** Waits until the page answers. */
async function open(page) {
  for (const startedAtMs = Date.now(); ;) {
    try {
      return await page.goto(ADDRESS);
    } catch (error) {
      if (Date.now() - startedAtMs > WAIT.timeout) throw error;
      await new Promise((resume) => setTimeout(resume, 200));
    }
  }
}

/** A flight into the Mandelbrot set, which has fine detail and no licence. */
function makeClip(path, frames, startScale) {
  const source = `mandelbrot=size=320x180:rate=25:start_scale=${startScale}:end_scale=0.05:end_pts=400`;
  run('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    '-frames:v',
    String(frames),
    '-pix_fmt',
    'yuv420p',
    path,
  ]);
}

function run(program, args) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
}
