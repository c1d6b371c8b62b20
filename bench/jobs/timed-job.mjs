import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { FfmpegTimes } from '../host/ffmpeg-times.mjs';
import { ThreadTimes } from '../host/thread-times.mjs';

/**
 * Processes a clip with `framekiln run`, in the folder's home, and notes the CPU time of each thread of the program, and of
 * each call of ffmpeg.
 *
 * @param {{ program: string, folder: string, clip: string, args: readonly string[], nodeOptions?: string }} options
 * @returns CPU time in ms by stage, time of the job in ms, and all that was printed
 */
export async function runTimedJob({ program, folder, clip, args, nodeOptions = '' }) {
  const [home, output] = [join(folder, 'home'), join(folder, 'output')];
  mkdirSync(home, { recursive: true });
  const ffmpeg = new FfmpegTimes(join(folder, 'bin'), output);
  const command = [program, 'run', clip, '--home', home, '--output', output, '--skip-checks', ...args];
  const startedAt = performance.now();
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: nodeOptions,
      FRAMEKILN_ESTIMATE_MEASURE: 'false',
      PATH: `${ffmpeg.folder}${delimiter}${process.env.PATH}`,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part) => (text += part));
  const threads = new ThreadTimes(child.pid);
  const code = await new Promise((end) => child.once('close', end));
  const ms = performance.now() - startedAt;
  if (code !== 0) throw new Error(`The job ended with ${code}:\n${text}`);
  return { times: new Map([...ffmpeg.read(), ...threads.stop()]), ms, text };
}
