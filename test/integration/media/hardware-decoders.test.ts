import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { frameBuffer } from '../../../src/media/decode/decoder.ts';
import { DecoderChoice, type HardwareDecoder } from '../../../src/media/decode/hardware-decoders.ts';
import { ffmpeg, makeClip, type ClipRequest } from '../../helpers/clips.ts';
import { fakeMachine, RTX_4090, type MachineBehaviour } from '../../helpers/fake-machine.ts';
import { decoderAt, openMedia, type Opened } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const GPU = { gpu: RTX_4090, nvenc: 0 } as const;

/** Decodes a clip on the CPU, then on a simulated machine; `log` has the log lines about the decoder. */
async function decodeBothWays(
  opened: Opened,
  play: Partial<MachineBehaviour>,
  requested: readonly HardwareDecoder[] = ['nvdec', 'vaapi'],
  firstFrame = 0,
) {
  const cpu = await readAll(opened, firstFrame);
  const machine = fakeMachine(temporaryFolder(), { ...GPU, ...play });
  vi.stubEnv('PATH', machine.path);
  const log: string[] = [];
  const choice = new DecoderChoice(requested, opened.media, opened.index, (sentence) => log.push(sentence));
  const notes: string[] = [];
  const frames = await readAll(opened, firstFrame, notes, choice);
  const opens = machine
    .events()
    .filter(({ event }) => event === 'open')
    .map(({ use }) => use);
  return { cpu, frames, log, notes, opens, choice };
}

async function readAll(
  opened: Opened,
  firstFrame: number,
  notes: string[] = [],
  choice?: DecoderChoice,
): Promise<string[]> {
  const hardware = choice === undefined ? {} : { choice, hardwareStallMs: 5_000 };
  const decoder = decoderAt(opened, firstFrame, notes, hardware);
  const frame = frameBuffer(opened.format);
  const frames: string[] = [];
  while (frames.length < opened.index.pts.length - firstFrame) {
    await decoder.read(frame);
    frames.push(frame.toString('latin1'));
  }
  await decoder.close();
  return frames;
}

const clip = (request: ClipRequest = {}, name = 'a.mp4') =>
  openMedia(makeClip(join(temporaryFolder(), name), { frames: 90, ...request }));

const TRUSTED = 'decoder: NVDEC (first frame matches the CPU decoder; every frame is checked)';
const nvdec = 12;

test.each<[string, Partial<MachineBehaviour>, string[], string[]]>([
  ['works', { nvdec }, [TRUSTED], ['cuda']],
  [
    'returns a different image from frame 7 on',
    { nvdec, nvdecFault: { kind: 'another image', at: 7 } },
    [TRUSTED, 'decoder: CPU from frame 7 on: NVDEC failed (the image of frame 7 does not match the index)'],
    ['cuda'],
  ],
  [
    'crashes at frame 40 of 90',
    { nvdec, nvdecFault: { kind: 'dies', at: 40 } },
    [
      TRUSTED,
      'decoder: CPU from frame 40 on: NVDEC failed (CUDA error: an illegal memory access was encountered)',
    ],
    ['cuda'],
  ],
  [
    'hangs at frame 20',
    { nvdec, nvdecFault: { kind: 'hangs', at: 20 } },
    [
      TRUSTED,
      expect.stringMatching(
        /^decoder: CPU from frame 20 on: NVDEC failed \(ffmpeg made no progress for \d+ s while decoding a\.mp4 and was killed\)$/,
      ) as string,
    ],
    ['cuda'],
  ],
  [
    'fails at the start',
    { nvdec: 0 },
    [
      'decoder: VAAPI from frame 0 on: NVDEC does not work (Failed setup for format cuda: hwaccel initialisation returned error.)',
      'decoder: CPU from frame 0 on: VAAPI does not work (No VA display found for any default device.)',
    ],
    [],
  ],
  [
    'fails at the start while VAAPI works',
    { nvdec: 0, vaapi: 1 },
    [
      'decoder: VAAPI from frame 0 on: NVDEC does not work (Failed setup for format cuda: hwaccel initialisation returned error.)',
      'decoder: VAAPI (first frame matches the CPU decoder; every frame is checked)',
    ],
    ['vaapi'],
  ],
])(
  'with an NVDEC that %s, the frames equal those of the CPU and the log says once what happened',
  async (_, play, expectedLog, opened) => {
    const { cpu, frames, log, notes, opens } = await decodeBothWays(await clip(), play);
    expect(new Set(cpu).size).toBeGreaterThan(40); // Some frames of the test pattern are equal.
    expect(frames).toEqual(cpu);
    expect(log).toEqual(expectedLog);
    expect(opens).toEqual(opened);
    expect(notes).toEqual([]);
  },
);

const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error'];

// Frames of a GPU differ from those of the CPU in pixel format, range and rotation.
test.each<[string, ClipRequest]>([
  ['10 bit', { encoder: [...X265, '-pix_fmt', 'yuv420p10le'] }],
  [
    'full range',
    { filter: 'scale=out_range=pc,format=yuvj420p', encoder: ['-c:v', 'libx264', '-pix_fmt', 'yuvj420p'] },
  ],
  ['variable frame rate', { filter: "setpts='N*40+mod(N\\,7)*11',settb=1/1000" }],
])('frames of a GPU match the index: %s', { tags: ['slow'] }, async (_, request) => {
  const opened = await clip({ frames: 12, ...request });
  for (const from of [0, 5]) {
    const { cpu, frames, log } = await decodeBothWays(opened, { nvdec }, ['nvdec'], from);
    expect(frames).toEqual(cpu);
    expect(log).toEqual([TRUSTED]);
  }
});

test.each([90, 180, 270])(
  'frames of a GPU are rotated like those of the CPU: %i degrees',
  { tags: ['slow'] },
  async (degrees) => {
    const folder = temporaryFolder();
    const flat = makeClip(join(folder, 'flat.mp4'), { frames: 6 });
    const rotated = join(folder, 'rotated.mp4');
    ffmpeg('-i', flat, '-c', 'copy', '-metadata:s:v:0', `rotate=${degrees}`, rotated);
    const opened = await openMedia(rotated);
    expect(opened.media.video.rotationDegrees % 360).not.toBe(0);
    const { cpu, frames, log } = await decodeBothWays(opened, { nvdec }, ['nvdec']);
    expect(frames).toEqual(cpu);
    expect(log).toEqual([TRUSTED]);
  },
);

test.each<[string, string, ClipRequest, RegExp]>([
  [
    'MPEG-4',
    'a.avi',
    { audio: false, encoder: ['-c:v', 'mpeg4'] },
    /GPU decoders of mpeg4 are not bit-exact/,
  ],
  [
    '4:4:4',
    'a.mkv',
    { encoder: ['-c:v', 'libx264', '-pix_fmt', 'yuv444p'] },
    /GPU decoding is not used for yuv444p/,
  ],
  [
    'interlaced',
    'a.mkv',
    {
      ...{ rate: '50', width: 320, height: 240 },
      filter: 'trim=end_frame=1,loop=-1:1,setpts=N/50/TB,scroll=h=0.012,tinterlace=interleave_top',
      encoder: ['-c:v', 'libx264', '-flags', '+ilme+ildct', '-top', '1'],
    },
    /the source is interlaced/,
  ],
])('the CPU decodes the whole source: %s', { tags: ['slow'] }, async (_, name, request, why) => {
  const { cpu, frames, log, opens } = await decodeBothWays(await clip({ frames: 12, ...request }, name), {
    nvdec,
  });
  expect(frames).toEqual(cpu);
  expect(log).toEqual([expect.stringMatching(why)]);
  expect(opens).toEqual([]);
});

test(
  'a hardware decoder that failed is not used by later decoders of the job',
  { tags: ['slow'] },
  async () => {
    const opened = await clip();
    const play = { nvdec, nvdecFault: { kind: 'dies', at: 10 } as const };
    const { cpu, choice, log } = await decodeBothWays(opened, play, ['nvdec']);
    expect(choice.current).toBeNull();
    const before = log.length;
    expect(await readAll(opened, 60, [], choice)).toEqual(cpu.slice(60));
    expect(log).toHaveLength(before);
  },
);
