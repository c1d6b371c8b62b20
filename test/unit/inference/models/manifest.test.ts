import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { modelEntry, readManifest } from '../../../../src/inference/models/manifest.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

const shipped = resolve(import.meta.dirname, '../../../../models/manifest.json');

test('the default models are listed and come from the npm registry', async () => {
  const manifest = await readManifest(shipped);
  for (const name of ['realesr-general-x4v3', 'RealESRGAN_x4plus']) {
    const { sources, licence, purpose } = modelEntry(manifest, name);
    expect(sources.map(({ kind }) => kind)).toContain('npm');
    expect({ licence, purpose }).toEqual({ licence: 'BSD-3-Clause', purpose: 'upscale' });
  }
  const detector = modelEntry(manifest, 'blazeface-full-range', 'face-detector');
  expect(detector.sources.map(({ kind }) => kind)).toContain('npm');
  expect(detector.licence).toBe('Apache-2.0');
  expect(() => modelEntry(manifest, 'nothing')).toThrow('use one of realesr-general-x4v3');
  expect(() => modelEntry(manifest, 'yunet', 'upscale')).toThrow('There is no upscaling model named "yunet"');
});

test('an invalid list is rejected with all its errors', async () => {
  const path = join(temporaryFolder(), 'manifest.json');
  const entry = { name: '../x', description: '', licence: '', scale: 9, purpose: 'upscale', overlap: 1 };
  const file = { format: 'ncnn', architecture: 'srvgg', sha256: 'abc', bytes: 1, sources: [] };
  writeFileSync(path, JSON.stringify({ models: [{ ...entry, ...file }] }));
  const rejection = await readManifest(path).catch((error: unknown) => error);
  expect(rejection).toMatchObject({ code: 'MODEL_UNREADABLE' });
  for (const place of ['name', 'scale', 'sha256', 'sources'])
    expect(String(rejection)).toContain(`0.${place}`);
});

test('a list that is missing or not JSON is rejected with its path', async () => {
  const path = join(temporaryFolder(), 'manifest.json');
  await expect(readManifest(path)).rejects.toThrow(path);
  writeFileSync(path, '{');
  await expect(readManifest(path)).rejects.toMatchObject({ code: 'MODEL_UNREADABLE' });
});
