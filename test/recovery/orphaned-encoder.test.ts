import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { SegmentJob } from '../../src/media/encode/encode-segment.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const FRAMES = 5000;
const PROGRAM = join(import.meta.dirname, '../../dist/media/encode/encode-segment.js');

/** IDs of all processes with this text in their command. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // It has ended.
    }
  });
}

test('the encoder reads a file, and yet ends when its worker is killed', { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const [framesPath, segmentPath] = [join(folder, 'frames'), join(folder, 'segment.mp4')];
  // Dark frames without a block on the disk.
  writeFileSync(framesPath, '');
  truncateSync(framesPath, 1280 * 720 * 3 * FRAMES);
  const bt709 = { range: 'tv', matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' } as const;
  const segment: SegmentJob = {
    ...{ framesPath, segmentPath, firstFrame: 0, frameCount: FRAMES, hdr: null, sampleAspectRatio: '1/1' },
    format: { width: 1280, height: 720, pixelFormat: 'rgb24' },
    timing: { pts: Float64Array.from({ length: FRAMES }, (_, i) => i), timescale: 25, lastDuration: 1 },
    color: { ...bt709, chromaLocation: 'left' },
  };
  const encoder = JSON.stringify({ crf: 18, preset: 'medium', threads: 1 });
  const script = `const { encodeSegment } = await import(${JSON.stringify(PROGRAM)});
    const segment = ${JSON.stringify(segment)};
    segment.timing.pts = Float64Array.from(Object.values(segment.timing.pts));
    await encodeSegment(segment, 'libx264', ${encoder});`;
  const worker = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const encoders = (): string[] =>
    processesWith(`file:${segmentPath}`).filter((pid) => pid !== String(worker.pid));
  const wait = { timeout: 100_000, interval: 50 };
  await vi.waitFor(() => expect(encoders()).toHaveLength(1), wait);
  // The header is written with the first frame.
  await vi.waitFor(() => expect(statSync(segmentPath).size).toBeGreaterThan(0), wait);
  worker.kill('SIGKILL');
  await vi.waitFor(() => expect(encoders()).toEqual([]), wait);
  const count = [
    '-v',
    'error',
    '-count_packets',
    '-show_entries',
    'stream=nb_read_packets',
    '-of',
    'csv=p=0',
  ];
  const packets = execFileSync('ffprobe', [...count, segmentPath], { encoding: 'utf8' });
  expect(packets.trim()).not.toBe(String(FRAMES));
});
