/**
 * How exact frames of YUV are that the CPU addon makes of RGB, beside those of ffmpeg's scale filter with the options of
 * Framekiln: PSNR in dB against double precision. Then the CPU time of one frame of 2160p.
 *
 *   node bench/yuv-frames.mjs
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MATRICES, psnrOf, testFrame, yuvInDoubles } from './yuv-reference.mjs';

const dist = (path) => import(resolve(import.meta.dirname, '../dist', path));
const { toEncoderFilter, whiteOf } = await dist('media/decode/frame-filters.js');
const { yuvConversion } = await dist('media/encode/yuv-conversion.js');
const { createYuvConverter, canConvertToYuv } = await dist('inference/yuv-converter.js');
const { describeCpuEngine, loadCpuAddon } = await dist('inference/cpu-engine.js');
const { frameBytes } = await dist('domain/media-info.js');

if (!canConvertToYuv()) throw new Error('The CPU addon is not built (npm run build:native).');
const folder = mkdtempSync(join(tmpdir(), 'framekiln-yuv-'));
try {
  await compare();
  await measure();
} finally {
  rmSync(folder, { recursive: true });
}

async function compare() {
  console.log('| matrix | range | format | chroma | Y, U, V of the addon | Y, U, V of swscale |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const cases = Object.keys(MATRICES).flatMap((matrix) =>
    ['tv', 'pc'].flatMap((range) =>
      ['rgb24', 'rgb48le'].map((pixelFormat) => ({
        matrix,
        range,
        pixelFormat,
        chroma: '420',
        location: 'left',
      })),
    ),
  );
  const others = [
    { chroma: '420', location: 'topleft' },
    { chroma: '422', location: 'left' },
    { chroma: '444', location: 'left' },
  ].flatMap((each) =>
    ['rgb24', 'rgb48le'].map((pixelFormat) => ({ matrix: 'bt709', range: 'tv', pixelFormat, ...each })),
  );
  for (const each of [...cases, ...others]) {
    const { ours, swscale } = await psnrs(each);
    const text = (values) => values.map((value) => value.toFixed(1)).join(', ');
    const { matrix, range, pixelFormat, chroma, location } = each;
    console.log(
      `| ${matrix} | ${range} | ${pixelFormat} | ${chroma} ${location} | ${text(ours)} | ${text(swscale)} |`,
    );
  }
}

/** PSNR of the planes of both conversions. */
async function psnrs({ matrix, range, pixelFormat, chroma, location }) {
  const [width, height] = [322, 182];
  const color = { range, matrix, primaries: null, transfer: null, chromaLocation: location };
  const format = { width, height, pixelFormat };
  const white = whiteOf(pixelFormat, range);
  const bytes = pixelFormat === 'rgb24' ? 1 : 2;
  const rgb = testFrame(width, height, bytes, white);
  const conversion = yuvConversion(format, color, chroma);
  const to = { ...format, pixelFormat: conversion.pixelFormat };
  const pixels = Buffer.from(rgb.buffer);
  const converted = Buffer.allocUnsafeSlow(frameBytes(to));
  await createYuvConverter(conversion)(pixels, converted);
  const raw = join(folder, 'rgb');
  writeFileSync(raw, pixels);
  const input = [
    '-f',
    'rawvideo',
    '-pixel_format',
    pixelFormat,
    '-video_size',
    `${width}x${height}`,
    '-i',
    raw,
  ];
  const filter = ['-vf', toEncoderFilter(color, format, to.pixelFormat), '-f', 'rawvideo', 'pipe:1'];
  const scaled = execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...input, ...filter], { maxBuffer: 1e9 });
  const reference = yuvInDoubles(rgb, { width, height, matrix, range, chroma, location, white });
  const samples = (buffer) => (bytes === 1 ? buffer : new Uint16Array(new Uint8Array(buffer).buffer));
  return { ours: psnrOf(samples(converted), reference), swscale: psnrOf(samples(scaled), reference) };
}

async function measure() {
  const color = { range: 'tv', matrix: 'bt709', primaries: null, transfer: null, chromaLocation: 'left' };
  console.log('\n| instruction set | 8 bits, CPU ms for a frame of 2160p | 10 bits |\n| --- | --- | --- |');
  for (const isa of describeCpuEngine().instructionSets) {
    const times = [];
    for (const pixelFormat of ['rgb24', 'rgb48le']) {
      const format = { width: 3840, height: 2160, pixelFormat };
      const conversion = yuvConversion(format, color, '420');
      const pixels = Buffer.alloc(frameBytes(format), 77);
      const target = Buffer.allocUnsafeSlow(frameBytes({ ...format, pixelFormat: conversion.pixelFormat }));
      const convert = createYuvConverter(conversion, loadCpuAddon, isa);
      await convert(pixels, target);
      const [frames, before] = [20, process.cpuUsage()];
      for (let i = 0; i < frames; i++) await convert(pixels, target);
      const { user, system } = process.cpuUsage(before);
      times.push(((user + system) / 1000 / frames).toFixed(1));
    }
    console.log(`| ${isa} | ${times.join(' | ')} |`);
  }
}
