import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Puts an `ffmpeg` in front of the real one that has a working h264_nvenc, played by libx264: trials always work, and
 * so do the first `goodSegments` segments; later ones fail as on a card whose sessions are all taken.
 *
 * @returns the PATH to use, and a function that tells how often a segment was encoded with it
 */
export function fakeNvenc(
  folder: string,
  goodSegments: number,
): { path: string; segmentsTried: () => number } {
  const bin = join(folder, 'bin');
  const counter = join(folder, 'segments');
  mkdirSync(bin, { recursive: true });
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  const script = join(bin, 'ffmpeg');
  writeFileSync(
    script,
    `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const args = process.argv.slice(2);
const at = args.indexOf('h264_nvenc');
if (at >= 0 && !args.includes('lavfi')) {
  appendFileSync(${JSON.stringify(counter)}, 'x');
  if (readFileSync(${JSON.stringify(counter)}).length > ${goodSegments}) {
    process.stdin.resume();
    process.stderr.write('[h264_nvenc @ 0x55d0] OpenEncodeSessionEx failed: incompatible client key (21): (no details)\\n');
    setTimeout(() => process.exit(1), 50);
    return;
  }
}
if (at >= 0) args.splice(at, args.indexOf('0', at) - at + 1, 'libx264', '-preset', 'ultrafast', '-bf', '0', '-profile:v', 'baseline');
const child = spawn(${JSON.stringify(real)}, args, { stdio: ['inherit', 'inherit', 'inherit', 'inherit'] });
for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => child.kill(name));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
`,
  );
  chmodSync(script, 0o755);
  return {
    path: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    segmentsTried: () => (existsSync(counter) ? readFileSync(counter).length : 0),
  };
}
