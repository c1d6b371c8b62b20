import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { networkEntry, readManifest } from '../../../../src/inference/networks/manifest.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

const shipped = resolve(import.meta.dirname, '../../../../models/manifest.json');

test('the shipped list has the default networks, and these need nothing but the npm registry', async () => {
  const manifest = await readManifest(shipped);
  for (const name of ['realesr-general-x4v3', 'RealESRGAN_x4plus']) {
    const { sources, licence, purpose } = networkEntry(manifest, name);
    expect(sources.map(({ kind }) => kind)).toContain('npm');
    expect({ licence, purpose }).toEqual({ licence: 'BSD-3-Clause', purpose: 'upscale' });
  }
  const detector = networkEntry(manifest, 'blazeface-full-range', 'face-detector');
  expect(detector.sources.map(({ kind }) => kind)).toContain('npm');
  expect(detector.licence).toBe('Apache-2.0');
  expect(() => networkEntry(manifest, 'nothing')).toThrow('known are realesr-general-x4v3');
  expect(() => networkEntry(manifest, 'yunet', 'upscale')).toThrow(
    'There is no network for upscaling "yunet"',
  );
});

test('a list with faults is refused with all of them', async () => {
  const path = join(temporaryFolder(), 'manifest.json');
  const entry = { name: '../x', description: '', licence: '', scale: 9, purpose: 'upscale', overlap: 1 };
  const file = { format: 'ncnn', architecture: 'srvgg', sha256: 'abc', bytes: 1, sources: [] };
  writeFileSync(path, JSON.stringify({ networks: [{ ...entry, ...file }] }));
  const refusal = await readManifest(path).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'NETWORK_UNREADABLE' });
  for (const place of ['name', 'scale', 'sha256', 'sources']) expect(String(refusal)).toContain(`0.${place}`);
});

test('a list that is absent or is no JSON is refused by its path', async () => {
  const path = join(temporaryFolder(), 'manifest.json');
  await expect(readManifest(path)).rejects.toThrow(path);
  writeFileSync(path, '{');
  await expect(readManifest(path)).rejects.toMatchObject({ code: 'NETWORK_UNREADABLE' });
});
