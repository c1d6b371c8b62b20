/**
 * What the statistic behind the advice by content says of videos and images (docs/decisions/0102-drawn-or-filmed.md): for each
 * file, three frames of its first second.
 *
 *   npm run build && node bench/drawn-or-filmed.mjs FILE …
 */
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { formatTable } from '../dist/cli/format-table.js';
import { contentOf, countLines } from '../dist/media/still/line-art.js';

const HEADER = 'FILE,SIZE,FLAT %,EDGES %,LINES PER 1000 PLACES,LINES PER 1000 EDGES,VERDICT'.split(',');
const FRAMES = 3;

const rows = process.argv.slice(2).flatMap((file) => {
  const size = sizeOf(file);
  return size === null ? [] : [rowOf(file, size)];
});
console.log(formatTable(HEADER, rows).join('\n'));

function sizeOf(file) {
  const show = ['-select_streams', 'v:0', '-show_entries', 'stream=width,height', '-of', 'json'];
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', ...show, file], { encoding: 'utf8' });
  const stream = JSON.parse(stdout || '{}').streams?.[0];
  return stream?.width > 0 ? { width: stream.width, height: stream.height } : null;
}

function rowOf(file, size) {
  const frames = framesOf(file, size).map((pixels) => countLines(pixels, size));
  const sum = (key) => frames.reduce((all, counts) => all + counts[key], 0);
  const share = (of, all, times) => (all === 0 ? '–' : ((times * of) / all).toFixed(1));
  const places = sum('places');
  return [
    ...[basename(file), `${size.width}x${size.height}`],
    ...[share(sum('flat'), places, 100), share(sum('edges'), places, 100)],
    ...[share(sum('lines'), places, 1000), share(sum('lines'), sum('edges'), 1000)],
    contentOf(frames, size) ?? '–',
  ];
}

function framesOf(file, { width, height }) {
  const filters = "select='not(mod(n,12))',format=rgb24";
  const { stdout } = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-noautorotate', '-i', file, '-vf', filters, '-vsync', '0'],
      ...['-frames:v', String(FRAMES), '-f', 'rawvideo', '-'],
    ],
    { maxBuffer: 2 ** 30 },
  );
  const bytes = 3 * width * height;
  return Array.from({ length: Math.floor(stdout.length / bytes) }, (_, i) =>
    stdout.subarray(i * bytes, (i + 1) * bytes),
  );
}
