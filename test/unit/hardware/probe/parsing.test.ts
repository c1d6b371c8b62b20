import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAccelerators, parseCodecs } from '../../../../src/hardware/probe/ffmpeg-facts.ts';
import { parseGpus } from '../../../../src/hardware/probe/gpus.ts';
import { readMachineFacts } from '../../../../src/hardware/probe/machine-facts.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

describe('what programs print', () => {
  it('is read where it is a GPU, and left out where it is not', () => {
    const text =
      'NVIDIA A, 550.54, 8.9, 24564, 100\nNVIDIA B, 550.54, 9.0, 1000, 0\n[Unknown Error]\n, , , ,\n\n';
    expect(parseGpus(text).map(({ name, freeBytes }) => [name, freeBytes])).toEqual([
      ['NVIDIA A', 100 * 1024 ** 2],
      ['NVIDIA B', 0],
    ]);
  });

  it('is read from lists of codecs and accelerators', () => {
    const codecs =
      'Encoders:\n V..... = Video\n ------\n V....D libx264              x\n A....D aac   y\n VFS.B. ffv1   z\n';
    expect(parseCodecs(codecs)).toEqual(['libx264', 'ffv1']);
    expect(parseAccelerators('Hardware acceleration methods:\nvdpau\ncuda\n\n')).toEqual(['vdpau', 'cuda']);
  });
});

describe('control groups', () => {
  it.each([
    ['536870912\n', '150000 100000\n', { memoryBytes: 536870912, cores: 1.5 }],
    ['max\n', 'max 100000\n', { memoryBytes: null, cores: null }],
  ])('limit memory to %j and processors to %j', async (memory, cpu, limits) => {
    const folder = join(temporaryFolder(), 'group');
    mkdirSync(folder);
    writeFileSync(join(folder, 'memory.max'), memory);
    writeFileSync(join(folder, 'cpu.max'), cpu);
    expect((await readMachineFacts(folder)).limits).toEqual(limits);
  });

  it('may be absent', async () => {
    expect((await readMachineFacts('/nowhere')).limits).toEqual({ memoryBytes: null, cores: null });
  });
});
