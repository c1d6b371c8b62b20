import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { audit, type Audit } from '../helpers/audit.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { MAIN, makeHome } from '../helpers/framekiln.ts';
import { whyNoRecording } from '../helpers/recorded-operations.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { blindBlazeFace, tinySrvgg } from '../helpers/tiny-models.ts';

/* Nothing leaves the machine, and files are created only where they may be (promise 42 in docs/promises.md). */
const whyNot = whyNoRecording();
const auditTest = test.skipIf(whyNot !== null);
const suffix = whyNot === null ? '' : ` (${whyNot})`;

/** Runs the real program as a user would, who has not switched off the telemetry of onnxruntime. */
function auditProgram(home: string, args: readonly string[]): Promise<Audit> {
  // io_uring would hide file operations from strace.
  const environment = { ORT_DISABLE_TELEMETRY: undefined, UV_USE_IO_URING: '0' };
  return audit([process.execPath, MAIN, ...args, '--home', home], environment);
}

/** Written paths that are neither in the home, nor on its RAM disk, nor temporary files of Framekiln. */
function foreignPaths(home: string, { written }: Audit): string[] {
  return written.filter((path) => {
    if (path === home || path.startsWith(`${home}/`)) return false;
    if (/^\/dev\/shm\/framekiln-[0-9a-f]{16}-\d+-\d+-\w{6}(\/|$)/.test(path)) return false;
    if (path.startsWith(`${tmpdir()}/framekiln-probe-`)) return false;
    // Devices and settings of the kernel store nothing.
    return !(path.startsWith('/proc/') || (path.startsWith('/dev/') && !path.startsWith('/dev/shm/')));
  });
}

const PIPELINES = [
  { name: 'lanczos', folder: 'lanczos-2x', model: null, recipe: '', tags: ['slow'] },
  { name: 'an ONNX model', folder: 'upscale-2x', model: tinySrvgg, recipe: 'tile: 32', tags: [] },
  {
    ...{ name: 'dual-face', folder: 'dual-face', model: blindBlazeFace },
    ...{ recipe: 'width: 128\nheight: 72', tags: ['slow'] },
  },
];

for (const { name, folder, model, recipe, tags } of PIPELINES)
  auditTest(
    `a job of ${name} connects to nothing and writes only to its home${suffix}`,
    { tags },
    async () => {
      const home = makeHome(temporaryFolder());
      mkdirSync(join(home, 'input', folder), { recursive: true });
      const clip = makeClip(join(home, 'input', folder, 'clip.mp4'), { frames: 12 });
      if (model !== null) {
        const file = join(home, 'models/tiny.onnx');
        writeFileSync(file, model());
        writeFileSync(`${clip}.recipe.yaml`, `model: ${file}\ndevice: cpu\n${recipe}\n`);
      }
      const seen = await auditProgram(home, ['start', '--once']);
      expect(seen, seen.stderr).toMatchObject({ status: 0, addresses: [] });
      expect(foreignPaths(home, seen)).toEqual([]);
      const output = join(home, 'output', folder, 'clip.mp4');
      expect(frameMd5(output)).toHaveLength(12);
      // The audit has seen the worker and its ffmpeg.
      expect(seen.written).toEqual(
        expect.arrayContaining([output, expect.stringMatching(/\.framekiln\/jobs\/1\/segments\//)]),
      );
    },
  );

auditTest(
  `doctor --probe connects to nothing and writes only to its home${suffix}`,
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder());
    const seen = await auditProgram(home, ['doctor', '--probe']);
    expect(seen.addresses).toEqual([]);
    expect(foreignPaths(home, seen)).toEqual([]);
    expect(JSON.parse(readFileSync(join(home, 'logs/doctor.json'), 'utf8'))).toHaveProperty('checks');
    expect(seen.written).toContain(join(home, '.framekiln/probe.json'));
  },
);

/** Does everything that an audit must report, also in a child process. 192.0.2.1 is reserved for documentation. */
const INTRUDER = `
  import { linkSync, mkdirSync, openSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
  import { createSocket } from 'node:dgram';
  import { spawnSync } from 'node:child_process';
  import { connect } from 'node:net';
  const [folder] = process.argv.slice(1);
  process.chdir(folder);
  writeFileSync('file', '');
  openSync('file', 'r+');
  mkdirSync(folder + '/folder');
  renameSync(folder + '/file', folder + '/renamed');
  linkSync(folder + '/renamed', folder + '/hard-link');
  symlinkSync('nowhere', folder + '/link');
  spawnSync('sh', ['-c', 'mkfifo pipe; echo > of-child']);
  const call = connect(80, '192.0.2.1').on('error', () => {});
  setImmediate(() => call.destroy());
  const socket = createSocket('udp4');
  socket.send('x', 53, '192.0.2.2', () => socket.close());
`;

auditTest(`an audit reports foreign files and connections${suffix}`, async () => {
  const folder = temporaryFolder();
  const home = join(folder, 'home');
  const place = join(folder, 'elsewhere');
  mkdirSync(place);
  const script = ['--input-type=module', '--eval', INTRUDER, place];
  const seen = await audit([process.execPath, ...script]);
  expect(seen, seen.stderr).toMatchObject({ status: 0 });
  expect(seen.addresses).toEqual(expect.arrayContaining(['192.0.2.1', '192.0.2.2']));
  const names = ['file', 'folder', 'hard-link', 'link', 'of-child', 'pipe', 'renamed'];
  expect(foreignPaths(home, seen).filter((path) => path.startsWith(place))).toEqual(
    names.map((name) => join(place, name)),
  );
});
