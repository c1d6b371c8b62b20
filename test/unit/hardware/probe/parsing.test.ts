import { describe, expect, it } from 'vitest';
import { parseAccelerators, parseCodecs } from '../../../../src/hardware/probe/ffmpeg-facts.ts';
import { parseGpus } from '../../../../src/hardware/probe/gpus.ts';

describe('output of programs', () => {
  it('is parsed for lines with a GPU, and skipped for others', () => {
    const text =
      'NVIDIA A, 550.54, 8.9, 24564, 100\nNVIDIA B, 550.54, 9.0, 1000, 0\n[Unknown Error]\n, , , ,\n\n';
    expect(parseGpus(text).map(({ name, freeBytes }) => [name, freeBytes])).toEqual([
      ['NVIDIA A', 100 * 1024 ** 2],
      ['NVIDIA B', 0],
    ]);
  });

  it('is parsed for lists of codecs and accelerators', () => {
    const codecs =
      'Encoders:\n V..... = Video\n ------\n V....D libx264              x\n A....D aac   y\n VFS.B. ffv1   z\n';
    expect(parseCodecs(codecs)).toEqual(['libx264', 'ffv1']);
    expect(parseAccelerators('Hardware acceleration methods:\nvdpau\ncuda\n\n')).toEqual(['vdpau', 'cuda']);
  });
});
