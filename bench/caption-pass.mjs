/**
 * Measures the CPU time that reading closed captions adds to the index pass: decodes each video three times with and three
 * times without the outputs of ffmpeg for captions, and compares the fastest runs.
 *
 *   node bench/caption-pass.mjs VIDEO...
 */
import './no-telemetry.mjs';
import { spawnSync } from 'node:child_process';
import { captionOutputs } from '../dist/media/captions/read-captions.js';
import { FRAME_HASH_OUTPUT } from '../dist/media/index/frame-hash-lines.js';

const index = ['-map', '0:v:0', ...FRAME_HASH_OUTPUT, 'pipe:1'];
const captions = captionOutputs('v:0', { payloads: 3, times: 4 }).map((argument) =>
  argument.startsWith('pipe:') ? '/dev/null' : argument,
);

for (const path of process.argv.slice(2)) {
  const frames = decode(path, index)
    .stdout.split('\n')
    .filter((line) => /^\d/.test(line)).length;
  const [without, withCaptions] = [index, [...index, ...captions]].map((outputs) =>
    Math.min(...Array.from({ length: 3 }, () => decode(path, outputs).cpuSeconds)),
  );
  const added = ((withCaptions - without) / frames) * 1000;
  console.log(
    `${path}: ${frames} frames, ${without.toFixed(2)} s of CPU time without captions, ${withCaptions.toFixed(2)} s with them (${added.toFixed(2)} ms a frame)`,
  );
}

function decode(path, outputs) {
  const { stdout, stderr, status } = spawnSync(
    'ffmpeg',
    ['-hide_banner', '-nostats', '-nostdin', '-benchmark', '-y', '-i', path, ...outputs],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (status !== 0) throw new Error(`ffmpeg cannot decode ${path}: ${stderr}`);
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr);
  return { stdout, cpuSeconds: Number(user) + Number(system) };
}
