import { describe, expect, it } from 'vitest';
import { describeDetected, detectSettings } from '../../../../src/hardware/probe/detected-settings.ts';

const gpu = { name: 'A GPU', driver: '550', computeCapability: '8.9', totalBytes: 24e9, freeBytes: 22e9 };
const kind = { codec: 'h264', width: 1920, height: 1080, bitDepth: 8 } as const;
const sessions = (count: number, why: string | null = null) => [
  { ...kind, sessions: count, whyNoMore: why === null ? null : { code: 'other' as const, text: why } },
];
const machine = {
  processor: 'A processor',
  cores: 32,
  memoryBytes: 64e9,
  limits: { memoryBytes: null, cores: null },
};
const facts = {
  gpus: [gpu],
  nvenc: sessions(2),
  nvdec: sessions(8),
  vaapi: [] as ReturnType<typeof sessions>,
  machine,
};
const streams = (change: Partial<typeof facts>) =>
  detectSettings({ ...facts, ...change }).find(({ key }) => key === 'streams.max');

describe('the number of jobs at once', () => {
  it.each([
    [
      'two jobs on each session',
      { nvenc: sessions(1) },
      2,
      /limited by 1 NVENC session, at 2 jobs per session/,
    ],
    [
      'what has been tested',
      { nvenc: sessions(12) },
      4,
      /the maximum of 4 jobs, because more have not been tested/,
    ],
    ['decoders', { nvdec: sessions(3) }, 3, /3 NVDEC sessions/],
    ['video memory', { gpus: [{ ...gpu, totalBytes: 7e9 }] }, 2, /7 GB of video memory/],
    ['memory', { machine: { ...machine, memoryBytes: 9e9 } }, 2, /9 GB of memory/],
    ['cores, with a minimum of one', { machine: { ...machine, cores: 1 } }, 1, /1 core$/],
  ])('follows from %s', (_, change, value, reason) => {
    expect(streams(change)).toMatchObject({ value, reason: expect.stringMatching(reason) as string });
  });

  it('follows from limits of control groups rather than the machine', () => {
    const limits = { memoryBytes: 5e9 as number | null, cores: 2.5 as number | null };
    expect(detectSettings({ ...facts, machine: { ...machine, limits } }).at(-1)?.value).toBe(1);
  });

  it('ignores NVENC on a GPU that cannot encode, and is not set without a GPU', () => {
    expect(streams({ nvenc: sessions(0, 'the GPU cannot encode this'), nvdec: sessions(3) })?.value).toBe(3);
    expect(streams({ gpus: [] })).toBeUndefined();
  });
});

describe('the hardware that decodes', () => {
  const hardware = (change: Partial<typeof facts>) =>
    detectSettings({ ...facts, ...change }).find(({ key }) => key === 'decoder.hardware');

  it('is the hardware that decoded a trial clip, NVDEC first', () => {
    expect(hardware({})?.value).toEqual(['nvdec']);
    expect(hardware({ vaapi: sessions(12) })?.value).toEqual(['nvdec', 'vaapi']);
    expect(hardware({ nvdec: [], vaapi: sessions(12) })?.value).toEqual(['vaapi']);
  });

  it('is empty with a reason if trials failed, and not set without trials', () => {
    const none = hardware({ nvdec: sessions(0, 'no capable device'), vaapi: [] });
    expect(none).toMatchObject({ value: [], reason: expect.stringMatching(/no capable device/) as string });
    expect(hardware({ nvdec: [], vaapi: [] })).toBeUndefined();
  });
});

it('a detected setting takes one line, even if the driver printed several', () => {
  const text = describeDetected({ ...facts, nvenc: sessions(0, 'line one\nline two: {') });
  expect(text).toContain('nvenc: false # trial encode failed: line one line two: {\n');
});
