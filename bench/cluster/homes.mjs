import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FRAMES } from './clip.mjs';

const SETTINGS = {
  batch: { firstFrames: FRAMES, frames: FRAMES },
  workspace: { memoryFraction: 0.05 },
  encoder: { nvenc: false, preset: 'ultrafast' },
};

/** Makes a home with small batches. @returns its path */
export function makeHome(home, settings) {
  for (const folder of ['input', 'models']) mkdirSync(join(home, folder), { recursive: true });
  writeFileSync(join(home, 'framekiln.yaml'), JSON.stringify({ ...SETTINGS, ...settings }));
  return home;
}

/** A PATH on which ffmpeg waits some seconds before it encodes a segment. */
export function waitingFfmpeg(folder, seconds) {
  mkdirSync(folder, { recursive: true });
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  const program = join(folder, 'ffmpeg');
  writeFileSync(
    program,
    `#!/bin/sh\ncase "$*" in *libx264*/segments/b*) sleep ${seconds};; esac\nexec ${real} "$@"\n`,
  );
  chmodSync(program, 0o755);
  return `${folder}${delimiter}${process.env.PATH}`;
}

/** Waits until a log has a number of lines that match. @returns when that was, in ms */
export async function untilLines(log, pattern, count) {
  while (countOf(log, pattern) < count) await delay(20);
  return performance.now();
}

function countOf(log, pattern) {
  if (!existsSync(log)) return 0;
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => pattern.test(line)).length;
}

/** Mount points in a folder, such as the RAM disk of a killed worker, deepest first. */
export function mountsBelow(folder) {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((mount) => mount.startsWith(`${folder}/`))
    .reverse();
}
