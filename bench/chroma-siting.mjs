/**
 * Measures by how many pixels Framekiln moves a colour edge, for every chroma location of 4:2:0: processes clips with a
 * vertical and a horizontal edge, and compares the place of the edge in the result with the right one. zimg (ffmpeg's
 * zscale) makes the clips and reads source and result by their tags, so that none of the conversions of Framekiln is used.
 *
 *   node bench/chroma-siting.mjs [--program dist/main.js] [--model realesr-general-x4v3]
 */
import './no-telemetry.mjs';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    program: { type: 'string', default: resolve(import.meta.dirname, '../dist/main.js') },
    model: { type: 'string', default: 'realesr-general-x4v3' },
    models: { type: 'string', default: resolve(import.meta.dirname, '../models') },
  },
});
const SIZE = 64;
const X264 = ['-c:v', 'libx264', '-crf', '0'];
const X265 = ['-c:v', 'libx265', '-crf', '0', '-x265-params', 'log-level=error'];
/** Name of the clip: chroma location, pixel format, encoder arguments, clockwise rotation in degrees. */
const CLIPS = {
  'h264-left.mp4': ['left', 'yuv420p', [...X264, '-chroma_sample_location', 'left']],
  'h264-untagged.mp4': ['left', 'yuv420p', X264],
  'h264-topleft.mp4': ['topleft', 'yuv420p', [...X264, '-chroma_sample_location', 'topleft']],
  'h264-center.mp4': ['center', 'yuv420p', [...X264, '-chroma_sample_location', 'center']],
  'h264-422.mp4': ['left', 'yuv422p', X264],
  'h264-444.mp4': ['left', 'yuv444p', X264],
  'hevc-10-topleft.mp4': [
    'topleft',
    'yuv420p10le',
    [...X265, '-bsf:v', 'hevc_metadata=chroma_sample_loc_type=2'],
  ],
  'mpeg2.mpg': ['left', 'yuv420p', ['-c:v', 'mpeg2video', '-q:v', '1']],
  'mjpeg.mov': ['center', 'yuvj420p', ['-c:v', 'mjpeg', '-q:v', '1']],
  'vp9.webm': ['left', 'yuv420p', ['-c:v', 'libvpx-vp9', '-lossless', '1']],
  'turned-90.mp4': ['left', 'yuv420p', X264, 90],
  'turned-180.mp4': ['left', 'yuv420p', X264, 180],
  'turned-270.mp4': ['left', 'yuv420p', X264, 270],
  'turned-90-422.mp4': ['left', 'yuv422p', X264, 90],
};

/** Clips that a model upscales, which takes longer. */
const MODEL_CLIPS = ['h264-left.mp4', 'h264-topleft.mp4', 'mjpeg.mov'];

const root = mkdtempSync(join(tmpdir(), 'framekiln-chroma-'));
try {
  mkdirSync(join(root, 'clips'));
  for (const [name, clip] of Object.entries(CLIPS)) makeClip(join(root, 'clips', name), ...clip);
  const columns = [
    ['lanczos', 1],
    ['lanczos', 2],
    [values.model, 2],
  ];
  const results = columns.map(([model, scale]) => processAll(model, scale));
  console.log(
    'Shift of the edge of Cb against that of the luma in pixels of the result, horizontal / vertical.\n',
  );
  const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
  line([
    'clip',
    'location',
    ...columns.map(([model, scale]) => `${model} ${scale}x`),
    'location of the result',
  ]);
  line(['---', '---', ...columns.map(() => '---'), '---']);
  for (const [name, [location]] of Object.entries(CLIPS)) {
    const was = edges(join(root, 'clips', name));
    const cells = columns.map(([model, scale], i) => {
      if (model !== 'lanczos' && !MODEL_CLIPS.includes(name)) return '';
      const is = edges(results[i](name));
      return ['x', 'y'].map((axis) => (is[axis] - scale * was[axis]).toFixed(2)).join(' / ');
    });
    line([name, location, ...cells, locationOf(results[1](name))]);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

function makeClip(path, location, pixels, encoder, rotation = 0) {
  const frames = [0, 1].map((frame) => {
    const rgb = Buffer.alloc(SIZE * SIZE * 3);
    for (let y = 0; y < SIZE; y++)
      for (let x = 0; x < SIZE; x++) {
        // An edge four pixels wide, from dull red to dull blue: no filter overshoots into clipping.
        const at = Math.min(1, Math.max(0, ((frame === 0 ? x : y) + 0.5 - SIZE / 2) / 4 + 0.5));
        rgb.set([180 - 120 * at, 60, 60 + 120 * at].map(Math.round), (y * SIZE + x) * 3);
      }
    return rgb;
  });
  const full = pixels.startsWith('yuvj') ? 'full' : 'limited';
  const filter = `zscale=matrix=709:range=${full}:chromal=${location}:filter=bicubic,format=${pixels}`;
  const turn = rotation === 0 ? null : `${path}.plain.mp4`;
  ffmpeg(
    ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${SIZE}x${SIZE}`, '-r', '25', '-i', 'pipe:0'],
    ['-vf', filter, ...encoder, '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ['-metadata', `title=${path}`, turn ?? path],
    Buffer.concat([...frames, ...frames]),
  );
  if (turn === null) return;
  ffmpeg(['-i', turn], ['-c', 'copy', '-metadata:s:v:0', `rotate=${rotation}`], [path]);
  rmSync(turn);
}

function ffmpeg(input, options, output, stdin) {
  return execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...options, ...output], {
    input: stdin ?? '',
    maxBuffer: 1 << 28,
  });
}

/** Processes the clips. @returns the path of the result for the name of a clip */
function processAll(model, scale) {
  const home = join(root, `${model}-${scale}`);
  mkdirSync(home);
  const settings = {
    intake: { settleSeconds: 0.2 },
    recipe: { model, scale },
    encoder: { crf: 0, preset: 'ultrafast', nvenc: false },
  };
  mkdirSync(join(home, 'input'));
  for (const name of model === 'lanczos' ? Object.keys(CLIPS) : MODEL_CLIPS)
    execFileSync('cp', [join(root, 'clips', name), join(home, 'input')]);
  execFileSync('cp', ['-rs', values.models, join(home, 'models')]);
  writeFileSync(join(home, 'framekiln.yaml'), JSON.stringify(settings));
  spawnSync(process.execPath, [values.program, 'start', '--once', '--home', home], { stdio: 'ignore' });
  const status = execFileSync(process.execPath, [values.program, 'status', '--json', '--home', home], {
    encoding: 'utf8',
  });
  const { jobs } = JSON.parse(status);
  return (name) => {
    const job = jobs.find(({ file }) => file === name);
    if (job?.state !== 'done') throw new Error(`${name}: ${job?.state} ${JSON.stringify(job?.error)}`);
    return job.output;
  };
}

/** Place of the edge of Cb in pixels to the right of that of the luma in one frame, and below it in the other. */
function edges(path) {
  const { width, height, rotation } = size(path);
  const turned = rotation % 180 !== 0;
  // Rotated after the conversion to 4:4:4, where chroma samples are where their pixels are.
  const turn = { 0: 'null', 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' }[rotation];
  const raw = ffmpeg(
    ['-noautorotate', '-i', path],
    ['-vf', `zscale=filter=bicubic,format=yuv444p10le,${turn}`, '-frames:v', '2', '-f', 'rawvideo'],
    ['-'],
  );
  const [w, h] = turned ? [height, width] : [width, height];
  /** Samples across the middle of a plane of a frame. */
  const across = (frame, plane, axis) =>
    Array.from({ length: axis === 'x' ? w : h }, (_, i) => {
      const at = axis === 'x' ? (h >> 1) * w + i : i * w + (w >> 1);
      return raw.readUInt16LE(2 * ((frame * 3 + plane) * w * h + at));
    });
  const place = (line) => {
    const [first, last] = [line[2], line.at(-3)];
    return line.reduce((sum, value) => sum + (last - value) / (last - first), 0);
  };
  const along = (axis) => {
    // A turned frame has the edge of the other axis.
    const frame = [0, 1].find(
      (number) => Math.abs(across(number, 1, axis)[2] - across(number, 1, axis).at(-3)) > 40,
    );
    return place(across(frame, 1, axis)) - place(across(frame, 0, axis));
  };
  const [x, y] = [along('x'), along('y')];
  return { x, y };
}

function size(path) {
  const probe = JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-select_streams', 'v', '-show_streams', path], {
      encoding: 'utf8',
    }),
  );
  const [stream] = probe.streams;
  const angle = stream.side_data_list?.find((entry) => entry.rotation !== undefined)?.rotation ?? 0;
  return { width: stream.width, height: stream.height, rotation: (360 - angle) % 360, stream };
}

function locationOf(path) {
  return size(path).stream.chroma_location ?? 'untagged';
}
