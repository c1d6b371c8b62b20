import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Cli } from '../../../src/cli/cli.ts';
import { exitCodeFor } from '../../../src/cli/exit-code-for.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { ConfigurationError } from '../../../src/domain/errors.ts';
import { ExitCode } from '../../../src/domain/exit-codes.ts';
import { openQueue } from '../../../src/queue/queue.ts';

/* Whole command lines on a home of their own, with no daemon. */
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'framekiln-home-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

async function framekiln(...args: string[]): Promise<{ out: string[]; err: string[]; code: ExitCode }> {
  const out: string[] = [];
  const err: string[] = [];
  const cli: Cli = {
    print: (line) => void out.push(line),
    complain: (line) => void err.push(line),
    ...{ interactive: false, columns: Infinity, now: Date.now, exitCode: ExitCode.ok },
  };
  await createProgram(cli).parseAsync([...args, '--home', home], { from: 'user' });
  return { out, err, code: cli.exitCode };
}

describe('framekiln status', () => {
  it('prints the report as JSON', async () => {
    const { out, code } = await framekiln('status', '--json');
    expect(JSON.parse(out.join('\n'))).toEqual({
      ...{
        home,
        daemonRunning: false,
        queuePaused: false,
        throttled: null,
        jobs: [],
        rejected: [],
        skipped: [],
        pending: [],
        waiting: [],
      },
    });
    expect(code).toBe(ExitCode.ok);
  });

  it('reports the errors in framekiln.yaml and continues', async () => {
    writeFileSync(join(home, 'framekiln.yaml'), 'encoder: { crff: 20 }\n');
    const { out, err, code } = await framekiln('status');
    expect(out[0]).toMatch(/^The daemon is not running\./);
    expect(err.join('\n')).toContain('unknown key encoder.crff (did you mean crf?)');
    expect(code).toBe(ExitCode.ok);
  });
});

describe('framekiln config set', () => {
  it.each([
    ['encoder.crf', '20', 'effective from the next job'],
    ['throttling.gpuBusyPercent', '0', 'effective at once'],
    ['page.port', '7718', 'effective after the daemon is restarted'],
  ])('says when the new value applies: %s', async (key, value, when) => {
    const { out } = await framekiln('config', 'set', key, value);
    expect(out).toEqual([`${key} is ${value} (${home}/framekiln.yaml, line 2), ${when}.`]);
  });

  it('says so when an environment variable overrides the new value', async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('FRAMEKILN_ENCODER_CRF', '30');
    const { out } = await framekiln('config', 'set', 'encoder.crf', '21');
    expect(out).toEqual([
      `encoder.crf is 21 (${home}/framekiln.yaml, line 2), but environment variable FRAMEKILN_ENCODER_CRF overrides it with 30.`,
    ]);
  });
});

describe('framekiln add', () => {
  it('queues a complete recipe and an absolute path for the daemon', async () => {
    writeFileSync(join(home, 'framekiln.yaml'), 'recipe: { model: lanczos }\n');
    const clip = join(home, 'clip.mp4');
    writeFileSync(clip, 'a video');
    await framekiln(
      'add',
      relative(process.cwd(), clip),
      '--scale',
      '1.5',
      '--tile',
      '256',
      '--priority',
      '-3',
    );
    const queue = openQueue(join(home, '.framekiln', 'framekiln.db'));
    expect(queue.commands.nextCommands()).toMatchObject([
      {
        kind: 'add',
        jobId: null,
        argument: {
          path: clip,
          recipe: { pipeline: 'upscale', model: 'lanczos', scale: 1.5, device: 'auto', tile: 256 },
          priority: -3,
        },
      },
    ]);
    queue.close();
  });

  it('rejects an invalid recipe with all its errors before anything is queued', async () => {
    const asked = framekiln('add', 'clip.mp4', '--scale', '9', '--device', 'tpu');
    await expect(asked).rejects.toThrow(ConfigurationError);
    await expect(asked).rejects.toThrow(/scale: .*device: /);
    expect(existsSync(join(home, '.framekiln', 'framekiln.db'))).toBe(false);
  });
});

describe('the exit code of framekiln add', () => {
  const notOnnx = join(import.meta.dirname, 'program.test.ts.onnx');
  it.each([
    ['files that do not exist', ['/nowhere/b.mp4'], 2, /a\.mp4 does not exist .*\/nowhere\/b\.mp4 does not/],
    ['a folder', ['/tmp'], 2, /\/tmp is not a regular file/],
    ['a model file that does not exist', ['--model', notOnnx], 2, /cannot be read/],
    ['a model that is not installed', ['--model', 'realcugan-x3-conservative'], 3, /models pull/],
    [
      'speech that is missing',
      ['--pipeline', 'lip-sync', '--model', 'x', '--audio', '/a.wav'],
      2,
      /\/a\.wav/,
    ],
    ['a value out of range', ['--scale', '9'], 2, /scale: /],
  ])('%s', async (what, options, code, message) => {
    const clip = join(home, 'a.mp4');
    if (!what.startsWith('files')) writeFileSync(clip, 'a video');
    const error: unknown = await framekiln('add', clip, ...options).catch((caught: unknown) => caught);
    expect(String(error)).toMatch(message);
    expect(exitCodeFor(error)).toBe(code);
    expect(existsSync(join(home, '.framekiln', 'framekiln.db'))).toBe(false);
  });
});

describe('framekiln run and add', () => {
  it.each(['run', 'add'])('say so when there is no such file: %s', async (command) => {
    const asked = framekiln(command, join(home, 'absent.mp4'));
    await expect(asked).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
    await expect(framekiln(command, home)).rejects.toMatchObject({ code: 'NOT_A_REGULAR_FILE' });
  });
});

describe('framekiln doctor', () => {
  it('runs all checks and leaves no files except its report', async () => {
    const { out, code } = await framekiln('doctor', '--json');
    const report = JSON.parse(out.join('\n')) as {
      usable: boolean;
      checks: { name: string; status: string }[];
    };
    expect(report.checks.map(({ name }) => name)).toEqual([
      ...[
        'node',
        'ffmpeg',
        'ffprobe',
        'encoders',
        'gpu',
        'cpu engine',
        'models',
        'ram disk',
        'disk space',
        'write rights',
      ],
      ...['inotify', 'machine', 'driver', 'nvenc', 'nvdec', 'settings'],
    ]);
    expect(report.usable).toBe(code === ExitCode.ok);
    expect(report.checks.find(({ name }) => name === 'ffmpeg')?.status).toBe('ok');
    expect(JSON.parse(readFileSync(join(home, 'logs', 'doctor.json'), 'utf8'))).toEqual(report);
    expect(existsSync(join(home, '.framekiln', 'doctor'))).toBe(false);
  });
});

describe('framekiln models', () => {
  it('lists the available models under a header', async () => {
    const { out } = await framekiln('models', 'list');
    expect(out[0]).toMatch(/^NAME +SCALE +SIZE +LICENCE +PATH +DESCRIPTION$/);
    expect(out[1]).toMatch(/^realesr-general-x4v3 +x4 +4\.9 MB +BSD-3-Clause /);
  });

  it('verifies models by checksum', async () => {
    await framekiln('status');
    writeFileSync(join(home, 'models', 'realesr-general-x4v3.onnx'), 'not a model');
    const { err, code } = await framekiln('models', 'verify');
    expect(err.join('\n')).toContain('realesr-general-x4v3.onnx');
    expect(code).toBe(ExitCode.environment);
  });
});

describe('a wrong command line', () => {
  it.each([
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['status', '--jason']],
    ['a job that is no number', ['cancel', 'all']],
    ['a missing argument', ['retry']],
  ])('is rejected: %s', async (_, args) => {
    await expect(framekiln(...args)).rejects.toThrow(CommanderError);
  });
});
