import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, megabytes } from '../process-memory.mjs';

/**
 * Processes a video with `framekiln start --once` in a new home.
 *
 * @param {{ program: string, firstFrames: number, settings: readonly string[], writeInput: (path: string) => void }} options
 *   `firstFrames`: of the first batch; the speed is that of the frames after it. `settings`: lines of framekiln.yaml
 * @returns frames a second (null if the model computed too few), time in ms, CPU time of all processes, and peaks of memory
 */
export async function runWholeJob({ program, firstFrames, settings, writeInput }) {
  const home = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
  try {
    mkdirSync(join(home, 'input'));
    const own = ['intake: { settleSeconds: 0.2 }', ...settings];
    writeFileSync(join(home, 'framekiln.yaml'), `${own.join('\n')}\n`);
    writeInput(join(home, 'input/clip.mp4'));
    const { code, ...figures } = await runDaemon(program, home);
    const log = readFileSync(join(home, 'logs/framekiln.log'), 'utf8');
    if (code !== 0) throw new Error(`The job ended with ${code}:\n${log}`);
    return { ...figures, ...speedOf(join(home, 'trace'), firstFrames), log };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Runs the program until the queue is empty. CPU time counts all of its processes. */
async function runDaemon(program, home) {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>&1';
  const command = [process.execPath, program, 'start', '--once', '--home', home];
  const child = spawn('bash', ['-c', script, 'bash', ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, FRAMEKILN_TRACE: join(home, 'trace'), FRAMEKILN_ESTIMATE_MEASURE: 'false' },
  });
  let times = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (times += text));
  const peaks = { daemonPeakMegabytes: 0, workerPeakMegabytes: 0 };
  const watching = setInterval(() => {
    for (const daemon of childrenOf(child.pid)) {
      peaks.daemonPeakMegabytes = Math.max(peaks.daemonPeakMegabytes, megabytes(daemon, 'VmHWM'));
      for (const pid of childrenOf(daemon))
        peaks.workerPeakMegabytes = Math.max(peaks.workerPeakMegabytes, megabytes(pid, 'VmHWM'));
    }
  }, 200);
  const code = await new Promise((end) => child.once('close', end));
  clearInterval(watching);
  const [real, user, system] = times.trim().split(' ').map(Number);
  return { code, ms: real * 1000, cpuMs: (user + system) * 1000, ...peaks };
}

/** From the trace of the job, which has a line for each frame that the model computed. */
function speedOf(trace, firstFrames) {
  const lines = existsSync(trace) ? readFileSync(trace, 'utf8').trim().split('\n') : [];
  const frames = lines.map((line) => line.split(' ').map(Number)).map(([, frame, ms]) => ({ frame, ms }));
  const [first, last] = [frames.find(({ frame }) => frame >= firstFrames), frames.at(-1)];
  const isLongEnough = first !== undefined && last.ms > first.ms;
  const fps = isLongEnough ? ((last.frame - first.frame) * 1000) / (last.ms - first.ms) : null;
  return { fps, framesInferred: frames.length };
}
