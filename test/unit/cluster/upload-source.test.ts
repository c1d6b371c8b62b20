import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderStore } from '../../../src/cloud/object-store/folder-store.ts';
import type { PutFileOptions } from '../../../src/cloud/object-store/object-store.ts';
import { uploadSource } from '../../../src/cluster/coordinator/upload-source.ts';
import { indexKey, sourceKey, type VideoSetup } from '../../../src/cluster/protocol.ts';
import type { Job } from '../../../src/domain/job.ts';
import type { PreparedJob } from '../../../src/job/prepare/prepared-job.ts';
import { sha256File } from '../../../src/lib/sha256-file.ts';
import { filesBelow } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** A folder in which somebody writes to the source while it is copied. */
class DisturbedStore extends FolderStore {
  override async putFile(key: string, path: string, options?: PutFileOptions): Promise<string> {
    const etag = await super.putFile(key, path, options);
    appendFileSync(path, 'more');
    return etag;
  }
}

it('refuses a source that is changed while it is copied, and removes the copy', async () => {
  const { folder, upload } = await source();
  await expect(upload(new DisturbedStore(folder))).rejects.toMatchObject({
    code: 'SOURCE_CHANGED',
    message: expect.stringContaining('clip.mp4 was changed or replaced') as string,
  });
  expect(filesBelow(folder)).toEqual([]);
});

it('copies a source again that an earlier coordinator may have copied in part, and never a whole one', async () => {
  const { folder, upload } = await source();
  const store = new FolderStore(folder);
  await store.put(sourceKey('k'), 'old');
  await upload(store);
  expect((await store.get(sourceKey('k')))?.body.toString()).toBe('video');
  const copied = await store.head(sourceKey('k'));
  await upload(store);
  expect(await store.head(sourceKey('k'))).toEqual(copied);
  expect((await store.get(indexKey('k')))?.body.toString()).toBe('index');
});

async function source() {
  const root = temporaryFolder();
  const [path, indexFile, folder] = [join(root, 'clip.mp4'), join(root, 'index'), join(root, 'share')];
  mkdirSync(folder);
  writeFileSync(path, 'video');
  writeFileSync(indexFile, 'index');
  const sourceSha256 = await sha256File(path);
  const job = { sourcePath: path, fingerprint: sourceSha256, recipe: { pipeline: 'upscale' } } as Job;
  const setup = { key: 'k', name: 'clip.mp4', sourceSha256 } as VideoSetup;
  const prepared = { media: { path } } as PreparedJob;
  const signal = new AbortController().signal;
  const upload = (store: FolderStore) => uploadSource({ job, signal }, store, setup, prepared, { indexFile });
  return { folder, upload };
}
