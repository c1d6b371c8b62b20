import { expect, test } from 'vitest';
import { FfmpegError } from '../../../src/domain/errors.ts';
import { chooseCodec, EncoderChooser, nvencReason } from '../../../src/media/encode/choose-encoder.ts';

const output = { width: 1280, height: 960, pixelFormat: 'rgb24' } as const;

function chooser(trials: (string | null)[], nvenc = true, softwareFallback = true) {
  const said: string[] = [];
  const clock = { now: 0 };
  const choice = new EncoderChooser({
    codec: 'h264',
    output,
    nvenc,
    softwareFallback,
    now: () => clock.now,
    tryNvenc: () => Promise.resolve(trials.shift() ?? null),
    onChoice: (sentence) => said.push(sentence),
  });
  return { choice, said, clock, trials };
}

test('NVENC where its trial works, and the trial is not repeated', async () => {
  const { choice, said, trials } = chooser([null, 'must not be asked']);
  expect([await choice.next(), await choice.next()]).toEqual(['h264_nvenc', 'h264_nvenc']);
  expect(trials).toHaveLength(1);
  expect(said).toHaveLength(1);
});

test('software where the trial fails, with the reason; one failure is not for ever', async () => {
  const { choice, said, clock } = chooser(['there is no NVIDIA driver or GPU', 'still not', null]);
  expect(await choice.next()).toBe('libx264');
  expect(said).toEqual([
    'encoder: libx264, because h264_nvenc does not work here (there is no NVIDIA driver or GPU).',
  ]);
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
  choice.nvencFailed('all NVENC sessions are taken (incompatible client key)');
  expect(await choice.next()).toBe('libx264');
  expect(said.at(-1)).toContain('failed in mid-job (all NVENC sessions are taken');
});

test('NVENC that is not wanted is not tried', async () => {
  const { choice, trials, said } = chooser([null], false);
  expect(await choice.next()).toBe('libx264');
  expect(trials).toHaveLength(1);
  expect(said).toEqual([
    'encoder: libx264 (NVENC is switched off; `framekiln config show --why encoder.nvenc` tells why).',
  ]);
});

test.each([
  ['Cannot load libcuda.so.1', 'there is no NVIDIA driver or GPU'],
  [
    'OpenEncodeSessionEx failed: incompatible client key (21): (no details)',
    'all NVENC sessions are taken (incompatible client key)',
  ],
  [
    'OpenEncodeSessionEx failed: out of memory (10): (no details)',
    'no NVENC session or no video memory is free',
  ],
  [
    'The minimum required Nvidia driver for nvenc is 520.56 or newer',
    'the NVIDIA driver is too old for this ffmpeg',
  ],
  ['No capable devices found', 'the GPU cannot encode this (no NVENC, size or depth)'],
  ['something unheard of\nmore', 'something unheard of'],
])('the reason is what ffmpeg said: %s', (said, reason) => {
  expect(
    nvencReason(new FfmpegError('FFMPEG_FAILED', 'ffmpeg failed', `[h264_nvenc @ 0x1] ${said}`)),
  ).toContain(reason);
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
  const taken = 'all NVENC sessions are taken (incompatible client key)';
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
  const { choice } = chooser(['there is no NVIDIA driver or GPU'], true, false);
  await expect(choice.next()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
});
