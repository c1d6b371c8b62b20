import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { frameBuffer } from '../../../src/media/decode/decoder.ts';
import { DecoderChoice, type HardwareDecoder } from '../../../src/media/decode/hardware-decoders.ts';
import { ffmpeg, makeClip, type ClipRequest } from '../../helpers/clips.ts';
import { fakeMachine, RTX_4090, type MachineBehaviour } from '../../helpers/fake-machine.ts';
import { decoderAt, openMedia, type Opened } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const GPU = { gpu: RTX_4090, nvenc: 0 } as const;

/** Every frame of a clip by the CPU, then by a machine that plays this; `said` is what the log would have. */
async function decodeBothWays(
  opened: Opened,
  play: Partial<MachineBehaviour>,
  requested: readonly HardwareDecoder[] = ['nvdec', 'vaapi'],
  firstFrame = 0,
) {
  const cpu = await readAll(opened, firstFrame);
  const machine = fakeMachine(temporaryFolder(), { ...GPU, ...play });
  vi.stubEnv('PATH', machine.path);
  const said: string[] = [];
  const choice = new DecoderChoice(requested, opened.media, opened.index, (sentence) => said.push(sentence));
  const notes: string[] = [];
  const frames = await readAll(opened, firstFrame, notes, choice);
  const opens = machine
    .events()
    .filter(({ event }) => event === 'open')
    .map(({ use }) => use);
  return { cpu, frames, said, notes, opens, choice };
}

async function readAll(
  opened: Opened,
  firstFrame: number,
  notes: string[] = [],
  choice?: DecoderChoice,
): Promise<string[]> {
  const hardware = choice === undefined ? {} : { choice, hardwareStallMs: 1_500 };
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

const TRUSTED = "decoder: NVDEC (its first frame is the CPU's; every one is checked).";
const nvdec = 12;

test.each<[string, Partial<MachineBehaviour>, string[], string[]]>([
  ['works', { nvdec }, [TRUSTED], ['cuda']],
  [
    'gives another image from frame 7 on',
    { nvdec, nvdecFault: { kind: 'another image', at: 7 } },
    [
      TRUSTED,
      'decoder: the CPU from frame 7 on, because NVDEC failed in mid-job (frame 7 has another image).',
    ],
    ['cuda'],
  ],
  [
    'dies at frame 40 of 90',
    { nvdec, nvdecFault: { kind: 'dies', at: 40 } },
    [
      TRUSTED,
      'decoder: the CPU from frame 40 on, because NVDEC failed in mid-job (CUDA error: an illegal memory access was encountered).',
    ],
    ['cuda'],
  ],
  [
    'hangs in the midst',
    { nvdec, nvdecFault: { kind: 'hangs', at: 20 } },
    [
      TRUSTED,
      'decoder: the CPU from frame 20 on, because NVDEC failed in mid-job (the driver does not respond).',
    ],
    ['cuda'],
  ],
  [
    'rejects at once',
    { nvdec: 0 },
    [
      'decoder: VAAPI from frame 0 on, because NVDEC does not work here (Failed setup for format cuda: hwaccel initialisation returned error.).',
      'decoder: the CPU from frame 0 on, because VAAPI does not work here (No VA display found for any default device.).',
    ],
    [],
  ],
  [
    'rejects, and VAAPI works',
    { nvdec: 0, vaapi: 1 },
    [
      'decoder: VAAPI from frame 0 on, because NVDEC does not work here (Failed setup for format cuda: hwaccel initialisation returned error.).',
      "decoder: VAAPI (its first frame is the CPU's; every one is checked).",
    ],
    ['vaapi'],
  ],
])('NVDEC that %s: frames are those of the CPU, and it is said once', async (_, play, says, opened) => {
  const { cpu, frames, said, notes, opens } = await decodeBothWays(await clip(), play);
  expect(new Set(cpu).size).toBeGreaterThan(40); // The test image repeats itself now and then.
  expect(frames).toEqual(cpu);
  expect(said).toEqual(says);
  expect(opens).toEqual(opened);
  expect(notes).toEqual([]);
});

const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error'];

// What differs between a frame that comes from a GPU and one of the software decoder: format, range, turning.
test.each<[string, ClipRequest]>([
  ['10 bit', { encoder: [...X265, '-pix_fmt', 'yuv420p10le'] }],
  [
    'full range',
    { filter: 'scale=out_range=pc,format=yuvj420p', encoder: ['-c:v', 'libx264', '-pix_fmt', 'yuvj420p'] },
  ],
  ['variable frame rate', { filter: "setpts='N*40+mod(N\\,7)*11',settb=1/1000" }],
])('frames of a GPU agree with the index: %s', { tags: ['slow'] }, async (_, request) => {
  const opened = await clip({ frames: 12, ...request });
  for (const from of [0, 5]) {
    const { cpu, frames, said } = await decodeBothWays(opened, { nvdec }, ['nvdec'], from);
    expect(frames).toEqual(cpu);
    expect(said).toEqual([TRUSTED]);
  }
});

test.each([90, 180, 270])(
  'frames of a GPU are turned as those of the CPU: %i degrees',
  { tags: ['slow'] },
  async (degrees) => {
    const folder = temporaryFolder();
    const flat = makeClip(join(folder, 'flat.mp4'), { frames: 6 });
    const turned = join(folder, 'turned.mp4');
    ffmpeg('-i', flat, '-c', 'copy', '-metadata:s:v:0', `rotate=${degrees}`, turned);
    const opened = await openMedia(turned);
    expect(opened.media.video.rotationDegrees % 360).not.toBe(0);
    const { cpu, frames, said } = await decodeBothWays(opened, { nvdec }, ['nvdec']);
    expect(frames).toEqual(cpu);
    expect(said).toEqual([TRUSTED]);
  },
);

test.each<[string, string, ClipRequest, RegExp]>([
  ['MPEG-4', 'a.avi', { audio: false, encoder: ['-c:v', 'mpeg4'] }, /mpeg4 need not decode alike everywhere/],
  ['4:4:4', 'a.mkv', { encoder: ['-c:v', 'libx264', '-pix_fmt', 'yuv444p'] }, /the source is yuv444p/],
  [
    'interlaced',
    'a.mkv',
    { filter: 'setfield=tff', encoder: ['-c:v', 'libx264', '-flags', '+ilme+ildct', '-top', '1'] },
    /the source is interlaced/,
  ],
])('the CPU decodes from the beginning: %s', { tags: ['slow'] }, async (_, name, request, why) => {
  const { cpu, frames, said, opens } = await decodeBothWays(await clip({ frames: 12, ...request }, name), {
    nvdec,
  });
  expect(frames).toEqual(cpu);
  expect(said).toEqual([expect.stringMatching(why)]);
  expect(opens).toEqual([]);
});

test('what was given up stays so for the other decoders of the job', { tags: ['slow'] }, async () => {
  const opened = await clip();
  const play = { nvdec, nvdecFault: { kind: 'dies', at: 10 } as const };
  const { cpu, choice, said } = await decodeBothWays(opened, play, ['nvdec']);
  expect(choice.current).toBeNull();
  const before = said.length;
  expect(await readAll(opened, 60, [], choice)).toEqual(cpu.slice(60));
  expect(said).toHaveLength(before);
});
