import { PROGRESSIVE } from '../../../src/media/fields/field-plan.ts';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { FrameIndex } from '../../../src/media/index/frame-index.ts';
import { DecoderProcess } from '../../../src/media/decode/decoder-process.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { sourceOf } from '../../helpers/upscale-source.ts';

const EDGE = 256;
const FRAMES = 6;

/** An ffmpeg that writes the pixels of all frames before it reports any of them, as its threads may do. */
function ffmpegWithPixelsFirst(): void {
  const folder = temporaryFolder();
  const path = join(folder, 'ffmpeg');
  writeFileSync(
    path,
    `#!${process.execPath}
const { writeSync } = require('node:fs');
const write = (fd, bytes) => { for (let at = 0; at < bytes.length; ) try { at += writeSync(fd, bytes, at); } catch (error) { if (error.code !== 'EAGAIN') throw error; } };
for (let i = 0; i < ${FRAMES}; i++) write(1, Buffer.alloc(${EDGE * EDGE * 3}, i));
write(3, Buffer.from('#tb 0: 1/25\\n'));
for (let i = 0; i < ${FRAMES}; i++) write(3, Buffer.from(\`0, \${i}, \${i}, 1, 1, 0000000\${i}\\n\`));
`,
  );
  chmodSync(path, 0o755);
  vi.stubEnv('PATH', [folder, dirname(process.execPath)].join(delimiter));
  onTestFinished(() => void vi.unstubAllEnvs());
}

test('frames whose pixels arrive long before their hashes are read without a deadlock', async () => {
  ffmpegWithPixelsFirst();
  const index: FrameIndex = {
    timeBase: { num: 1, den: 25 },
    pts: Float64Array.from({ length: FRAMES }, (_, i) => i),
    hashes: Uint32Array.from({ length: FRAMES }, (_, i) => i),
    lastDuration: 1,
    fields: PROGRESSIVE,
    captions: null,
    packetCount: FRAMES,
    decoderErrorCount: 0,
  };
  const decoder = new DecoderProcess(sourceOf(EDGE, EDGE), index, {
    format: { width: EDGE, height: EDGE, pixelFormat: 'rgb24' },
    ...{ firstFrame: 0, approach: 'from-start', hardware: null, maxPixels: 1e6, stallMs: 5_000 },
    signal: undefined,
  });
  const target = Buffer.alloc(EDGE * EDGE * 3);
  for (let i = 0; i < FRAMES; i++) {
    expect(await decoder.read(target)).toMatchObject({ pts: i, hash: i });
    expect([target[0], target.at(-1)]).toEqual([i, i]);
  }
  expect(await decoder.read(target)).toBeNull();
});
