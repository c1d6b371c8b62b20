import { hardwareReason } from '../../../src/domain/hardware-reason.ts';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { passed, runChecks } from '../../../src/hardware/check.ts';
import { checkCpuEngine } from '../../../src/hardware/checks/cpu-engine.ts';
import { checkDiskSpace } from '../../../src/hardware/checks/disk-space.ts';
import { checkDriver } from '../../../src/hardware/checks/driver.ts';
import { checkEncoders } from '../../../src/hardware/checks/encoders.ts';
import { checkFfmpeg } from '../../../src/hardware/checks/ffmpeg.ts';
import { checkGpu } from '../../../src/hardware/checks/gpu.ts';
import { checkInotifyLimits } from '../../../src/hardware/checks/inotify-limits.ts';
import { checkMachine } from '../../../src/hardware/checks/machine.ts';
import { checkModels } from '../../../src/hardware/checks/models.ts';
import { checkNodeVersion } from '../../../src/hardware/checks/node-version.ts';
import { checkRamDisk } from '../../../src/hardware/checks/ram-disk.ts';
import { checkSessions } from '../../../src/hardware/checks/sessions.ts';
import { checkWriteRights } from '../../../src/hardware/checks/write-rights.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framekiln-checks-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('runChecks', () => {
  it('names the results, and counts a check that throws as failed', async () => {
    const results = await runChecks({
      one: () => passed('fine'),
      two: () => Promise.reject(new Error('EACCES: no')),
      three: () => passed('fine too'),
    });
    expect(results.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'one ok',
      'two fail',
      'three ok',
    ]);
    expect(results[1]?.found).toContain('EACCES: no');
  });
});

describe('checkCpuEngine', () => {
  it('names the instruction set, and warns with a remedy where the engine cannot be used', () => {
    expect(checkCpuEngine(['avx2', 'plain'], null, null)).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('avx2') as string,
    });
    expect(checkCpuEngine([], 'the CPU addon is not installed', null)).toMatchObject({
      status: 'warn',
      found: expect.stringContaining('onnxruntime') as string,
      remedy: expect.stringContaining('g++') as string,
    });
    // An npm package has no sources that a compiler could build.
    expect(
      checkCpuEngine([], 'the CPU addon is not installed', '@framekiln/native-cpu-linux-x64').remedy,
    ).toMatch(/@framekiln\/native-cpu-linux-x64/);
  });
});

describe('checkNodeVersion', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
    ['20.18.3', 'fail'],
    ['18.20.0', 'fail'],
  ])('judges %s as %s', (version, status) => {
    expect(checkNodeVersion(version).status).toBe(status);
  });
});

describe('checkFfmpeg', () => {
  it.each([
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026\nbuilt with gcc', 'ok'],
    ['ffmpeg version n7.0 Copyright (c)', 'ok'],
    ['ffmpeg version N-109542-g0fdb5829e3 Copyright (c)', 'ok'],
    ['ffmpeg version 5.0.3 Copyright (c)', 'fail'],
    ['ffmpeg version 4.4.2-0ubuntu0 Copyright (c)', 'fail'],
  ])('judges %j as %s', async (output, status) => {
    const result = await checkFfmpeg('ffmpeg', () => Promise.resolve(output));
    expect(result.status).toBe(status);
    expect(result.found).not.toContain('Copyright');
  });

  it('fails with the reason if the program cannot be run', async () => {
    const result = await checkFfmpeg('ffprobe', () => Promise.reject(new Error('ffprobe is not installed')));
    expect(result).toMatchObject({ status: 'fail', found: 'ffprobe is not installed' });
  });
});

describe('checkEncoders', () => {
  const software = { encoder: 'libx264', hardware: false, whyNot: null };
  const hardware = { encoder: 'h264_nvenc', hardware: true, whyNot: null };

  it('passes if all encoders work, and warns with the reason without hardware', () => {
    expect(checkEncoders([software, hardware]).status).toBe('ok');
    const result = checkEncoders([software, { ...hardware, whyNot: 'no NVIDIA driver' }]);
    expect(result.status).toBe('warn');
    expect(result.found).toBe('libx264 works, h264_nvenc does not work (no NVIDIA driver)');
  });

  it('fails without the software encoder, to which all jobs fall back', () => {
    expect(checkEncoders([{ ...software, whyNot: 'Unknown encoder' }, hardware]).status).toBe('fail');
  });
});

describe('checkModels', () => {
  const model = { path: '/models/a.onnx', command: 'framekiln models pull a --from FOLDER' };
  const a = (state: 'ok' | 'missing' | 'damaged') => ({ ...model, name: 'a', state });
  const b = (state: 'ok' | 'missing' | 'damaged') => ({ ...model, name: 'b', state });
  it.each([
    [[a('ok'), b('missing')], 'a', 'ok'],
    [[a('missing'), b('ok')], 'a', 'fail'],
    [[a('missing'), b('ok')], null, 'ok'],
    [[a('missing')], null, 'warn'],
    [[a('ok'), b('damaged')], 'a', 'fail'],
    [[a('ok')], 'strange.onnx', 'ok'],
  ])('judges %j with %s needed as %s', (findings, needed, status) => {
    expect(checkModels(findings, needed).status).toBe(status);
  });

  it('names the command that installs a missing model', () => {
    expect(checkModels([a('missing')], 'a').remedy).toBe('Run: framekiln models pull a --from FOLDER');
  });
});

describe('checkRamDisk', () => {
  it.each([
    [{ kind: 'mount' as const, sizeBytes: 8e9, reason: null }, 'ok'],
    [{ kind: 'shm' as const, sizeBytes: 8e9, reason: 'cannot mount a tmpfs: requires root' }, 'ok'],
    [{ kind: 'shm' as const, sizeBytes: 1e9, reason: null }, 'warn'],
    [{ kind: 'folder' as const, sizeBytes: 8e9, reason: '/dev/shm has only 64 MB free' }, 'warn'],
  ])('judges %j as %s', (trial, status) => {
    expect(checkRamDisk(trial).status).toBe(status);
  });
});

describe('checkWriteRights', () => {
  it('leaves no file in a writable folder', async () => {
    expect((await checkWriteRights([folder])).status).toBe('ok');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('names each folder that is not writable', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const result = await checkWriteRights([folder, file, join(folder, 'absent')]);
    expect(result.status).toBe('fail');
    expect(result.found).toContain(`${file} (ENOTDIR)`);
    expect(result.found).toContain('absent (ENOENT)');
    expect(result.remedy).toMatch(
      /^Check these folders and their disks\. Mount the disk of the folder .+, or choose/,
    );
  });
});

describe('checkInotifyLimits', () => {
  it.each([
    [524_288, 512, 'ok'],
    [1024, 512, 'warn'],
    [524_288, 8, 'warn'],
  ])('judges %i watches and %i instances as %s', async (watches, instances, status) => {
    mkdirSync(join(folder, 'limits'));
    writeFileSync(join(folder, 'limits/max_user_watches'), `${watches}\n`);
    writeFileSync(join(folder, 'limits/max_user_instances'), `${instances}\n`);
    expect((await checkInotifyLimits(join(folder, 'limits'))).status).toBe(status);
  });
});

describe('checkMachine and checkDiskSpace', () => {
  it('report cores and memory, with a warning for little memory', () => {
    const limits = { memoryBytes: null, cores: null };
    expect(checkMachine({ cores: 2, memoryBytes: 8e9, limits })).toMatchObject({ status: 'ok' });
    expect(checkMachine({ cores: 2, memoryBytes: 1e9, limits })).toMatchObject({ status: 'warn' });
    expect(checkMachine({ cores: 2, memoryBytes: 8e9, limits: { memoryBytes: 4e9, cores: 1.5 } }).found).toBe(
      '2 cores, 8.0 GB of memory available; control group limit: 4.0 GB and 1.5 cores',
    );
  });

  it('advises against what limits the memory', () => {
    const remedyWith = (memoryBytes: number | null) =>
      checkMachine({ cores: 2, memoryBytes: 1e9, limits: { memoryBytes, cores: null } }).remedy;
    expect(remedyWith(null)).toMatch(/^Close other programs:/);
    expect(remedyWith(1.5e9)).toMatch(/^Raise the memory limit of the container or service:/);
  });

  it('report free space where files are written', async () => {
    expect((await checkDiskSpace(folder)).found).toMatch(/^\d+\.\d GB free in /);
  });
});

it('checkGpu warns only if something can be done', () => {
  expect(checkGpu({ code: 'used', gpu: 'A GPU' })).toEqual({
    status: 'ok',
    found: 'models run on the GPU (A GPU)',
    remedy: null,
  });
  const webGpu = { code: 'webgpu', gpu: 'A GPU', whyNotCuda: null, advice: null } as const;
  expect(checkGpu(webGpu)).toEqual({
    status: 'ok',
    found: 'models run with WebGPU on the GPU (A GPU) if that is faster than the CPU',
    remedy: null,
  });
  expect(checkGpu({ ...webGpu, whyNotCuda: 'no addon', advice: 'to change that: install it' })).toEqual({
    status: 'warn',
    found:
      'models run with WebGPU on the GPU (A GPU) if that is faster than the CPU; CUDA, which is faster, is not used: no addon',
    remedy: 'To change that: install it',
  });
  expect(checkGpu({ code: 'no-gpu', why: 'no GPU found', advice: null })).toEqual({
    status: 'ok',
    found: 'models run on the CPU: no GPU found',
    remedy: null,
  });
  expect(checkGpu({ code: 'no-driver', why: 'no driver', advice: 'to change that: install it' })).toEqual({
    status: 'warn',
    found: 'models run on the CPU: no driver',
    remedy: 'To change that: install it',
  });
});

describe('checkSessions', () => {
  const fact = { codec: 'h264', width: 1920, height: 1080, bitDepth: 8 } as const;
  it.each([
    [
      [{ ...fact, sessions: 2, whyNoMore: hardwareReason('sessions-taken') }],
      true,
      'ok',
      /^2 concurrent sessions of H\.264 1920x1080, 8-bit \(one more fails: all NVENC sessions are in use/,
    ],
    [[{ ...fact, sessions: 12, whyNoMore: null }], true, 'ok', /^at least 12 concurrent sessions of /],
    [[{ ...fact, sessions: 0, whyNoMore: hardwareReason('no-gpu') }], false, 'ok', /no NVIDIA GPU/],
    [[], false, 'ok', /no NVIDIA GPU/],
    [
      [{ ...fact, sessions: 0, whyNoMore: hardwareReason('driver-silent') }],
      true,
      'warn',
      /does not respond/,
    ],
  ])('judges %j', (facts, hasGpu, status, found) => {
    const result = checkSessions('NVENC', facts, hasGpu);
    expect(result.status).toBe(status);
    expect(result.found).toMatch(found);
  });

  it('does not say that there is no GPU where nothing was tested', () => {
    expect(checkSessions('NVENC', null, false).found).toBe('not tested: the hardware could not be probed');
    expect(checkSessions('NVENC', [], true).found).toBe('not tested: ffmpeg is missing or does not run');
  });

  it('says that jobs try NVENC again, but not NVDEC', () => {
    const busy = { ...fact, sessions: 0, whyNoMore: hardwareReason('no-session-or-memory') };
    expect(checkSessions('NVENC', [busy], true).remedy).toMatch(/every job tries again/);
    expect(checkSessions('NVDEC', [busy], true).remedy).toMatch(/run: framekiln doctor --probe/);
  });

  it('suggests an update of an old driver', () => {
    const old = { ...fact, sessions: 0, whyNoMore: hardwareReason('driver-too-old') };
    expect(checkSessions('NVENC', [old], true).remedy).toMatch(/Install a newer NVIDIA driver/);
  });
});

it('a driver that does not respond is a warning, a missing one is not', () => {
  expect(checkDriver({ gpus: [], driver: 'absent', reason: 'no NVIDIA driver found' }).status).toBe('ok');
  expect(checkDriver({ gpus: [], driver: 'silent', reason: 'nvidia-smi did not respond' }).status).toBe(
    'warn',
  );
});
