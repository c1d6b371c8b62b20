import { expect, test } from 'vitest';
import { FfmpegError } from '../../../src/domain/errors.ts';
import { hardwareReason, type HardwareReason } from '../../../src/domain/hardware-reason.ts';
import { chooseCodec } from '../../../src/media/encode/choose-codec.ts';
import { EncoderChooser } from '../../../src/media/encode/encoder-chooser.ts';
import { nvencReason } from '../../../src/media/encode/try-nvenc.ts';

const output = { width: 1280, height: 960, pixelFormat: 'rgb24' } as const;

function chooser(trials: (HardwareReason | null)[], nvenc = true, softwareFallback = true) {
  const said: string[] = [];
  const clock = { now: 0 };
  const choice = new EncoderChooser({
    codec: 'h264',
    nvenc,
    softwareFallback,
    now: () => clock.now,
    tryNvenc: () => Promise.resolve(trials.shift() ?? null),
    onChoice: (sentence) => said.push(sentence),
  });
  return { choice, said, clock, trials };
}

test('NVENC where its trial works, and the trial is not repeated', async () => {
  const { choice, said, trials } = chooser([null, hardwareReason('no-gpu')]);
  expect([await choice.next(), await choice.next()]).toEqual(['h264_nvenc', 'h264_nvenc']);
  expect(trials).toHaveLength(1);
  expect(said).toHaveLength(1);
});

test('a failed trial selects libx264 with the reason, and the trial is repeated later', async () => {
  const { choice, said, clock } = chooser([hardwareReason('no-gpu'), hardwareReason('no-gpu'), null]);
  expect(await choice.next()).toBe('libx264');
  expect(said).toEqual(['encoding on the CPU with libx264: no NVIDIA GPU or driver found']);
  clock.now = 59_999;
  expect(await choice.next()).toBe('libx264');
  clock.now = 60_000; // The second trial fails, too, and doubles the wait.
  expect(await choice.next()).toBe('libx264');
  clock.now = 179_999;
  expect(await choice.next()).toBe('libx264');
  clock.now = 180_000;
  expect(await choice.next()).toBe('h264_nvenc');
  expect(said).toHaveLength(2);
});

test('a segment that fails on NVENC sends the next one to software', async () => {
  const { choice, said } = chooser([null]);
  await choice.next();
  choice.nvencFailed(hardwareReason('sessions-taken'));
  expect(await choice.next()).toBe('libx264');
  expect(said.at(-1)).toContain('NVENC failed to encode a batch (all NVENC sessions are in use');
});

test('NVENC that is not wanted is not tried', async () => {
  const { choice, trials, said } = chooser([null], false);
  expect(await choice.next()).toBe('libx264');
  expect(trials).toHaveLength(1);
  expect(said).toEqual([
    'encoding on the CPU with libx264: NVENC is disabled (to see why: framekiln config show --why encoder.nvenc)',
  ]);
});

test.each([
  ['Cannot load libcuda.so.1', 'no-gpu'],
  ['OpenEncodeSessionEx failed: incompatible client key (21): (no details)', 'sessions-taken'],
  ['OpenEncodeSessionEx failed: out of memory (10): (no details)', 'no-session-or-memory'],
  ['The minimum required Nvidia driver for nvenc is 520.56 or newer', 'driver-too-old'],
  ['No capable devices found', 'unsupported'],
  ['something unheard of\nmore', 'other'],
])('the reason is found in what ffmpeg wrote: %s', (said, code) => {
  expect(
    nvencReason(new FfmpegError('FFMPEG_FAILED', 'ffmpeg failed', `[h264_nvenc @ 0x1] ${said}`)),
  ).toMatchObject({ code, text: expect.any(String) as string });
});

test('the codec: ten bits to HEVC, more than 4096 to HEVC only where NVENC has it, a request above all', () => {
  const never = () => false;
  const always = () => true;
  const large = { ...output, width: 5120 };
  expect(chooseCodec('auto', output, always)).toBe('h264');
  expect(chooseCodec('auto', large, always)).toBe('hevc');
  expect(chooseCodec('auto', large, never)).toBe('h264');
  expect(chooseCodec('auto', { ...output, pixelFormat: 'rgb48le' }, never)).toBe('hevc');
  expect(chooseCodec('h264', { ...output, pixelFormat: 'rgb48le' }, always)).toBe('h264');
});

test('sessions that others have are asked for again each minute, however often', async () => {
  const taken = hardwareReason('sessions-taken');
  const { choice, clock, trials } = chooser([taken, taken, taken, null]);
  for (const now of [0, 60_000, 120_000]) {
    clock.now = now;
    expect(await choice.next()).toBe('libx264');
  }
  clock.now = 180_000;
  expect(await choice.next()).toBe('h264_nvenc');
  expect(trials).toEqual([]);
});

test('where software is not allowed, NVENC that does not work is a transient error', async () => {
  const { choice } = chooser([hardwareReason('no-gpu')], true, false);
  await expect(choice.next()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
});
