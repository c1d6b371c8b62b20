import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { FolderStore } from '../../../src/cloud/object-store/folder-store.ts';
import { ConditionFailed } from '../../../src/cloud/object-store/object-store.ts';

let root: string;
let store: FolderStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'framekiln-store-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  store = new FolderStore(root);
});

describe('a shared folder as a store', () => {
  it('has one winner among writers of a free key', async () => {
    const writes = Array.from({ length: 8 }, (_, i) =>
      store.put('a/b.json', String(i), { ifNoneMatch: '*' }),
    );
    const results = await Promise.allSettled(writes);
    const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [String(i)] : []));
    expect(winners).toHaveLength(1);
    expect((await store.get('a/b.json'))?.body.toString()).toBe(winners[0]);
    expect(
      results.every((each) => each.status === 'fulfilled' || each.reason instanceof ConditionFailed),
    ).toBe(true);
    expect(readdirSync(join(root, 'a'))).toEqual(['b.json']);
  });

  it('replaces an object only if it has the expected ETag', async () => {
    const etag = await store.put('x', '1');
    const next = await store.put('x', '22', { ifMatch: etag });
    await expect(store.put('x', '333', { ifMatch: etag })).rejects.toThrow(ConditionFailed);
    expect(await store.head('x')).toEqual({ size: 2, etag: next });
  });

  it('copies files in and out, and lists and deletes them', async () => {
    writeFileSync(join(root, 'local'), 'segment');
    await store.putFile('videos/v/b1.mp4', join(root, 'local'));
    await store.getFile('videos/v/b1.mp4', join(root, 'copy'));
    expect(readFileSync(join(root, 'copy'), 'utf8')).toBe('segment');
    const keys = [];
    for await (const { key } of store.list('videos/v/')) keys.push(key);
    expect(keys).toEqual(['videos/v/b1.mp4']);
    await store.delete('videos/v/b1.mp4');
    expect(existsSync(join(root, 'videos'))).toBe(false);
    expect(await store.get('videos/v/b1.mp4')).toBeUndefined();
  });

  it.each(['../x', 'a/../../x', '/x', 'a//b', ''])('rejects the key %j', async (key) => {
    await expect(store.put(key, 'x')).rejects.toThrow('is no key of a store');
  });

  it('is not made where the share is not mounted', async () => {
    rmSync(root, { recursive: true });
    await expect(store.put('x', '1')).rejects.toThrow('ENOENT');
    expect(existsSync(root)).toBe(false);
  });
});
