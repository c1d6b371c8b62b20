import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../src/cloud/object-store/object-store.ts';
import { S3Store } from '../../../src/cloud/object-store/s3-store.ts';
import { SqsQueue } from '../../../src/cloud/queue/sqs-queue.ts';
import { BUCKET, cloudStandIn, HAS_CONDITIONAL_COPIES } from '../../helpers/cloud-stand-in.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test('of writes that want a free key, one wins', async () => {
  const { s3 } = await cloudStandIn();
  const store = new S3Store(s3, BUCKET);
  const writes = await Promise.allSettled(
    ['a', 'b', 'c'].map((body) => store.put('state/claim 1.json', body, { ifNoneMatch: '*' })),
  );
  expect(writes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(writes.filter(({ status }) => status === 'rejected')).toHaveLength(2);
  for (const write of writes)
    if (write.status === 'rejected') expect(write.reason).toBeInstanceOf(ConditionFailed);
  const found = await store.get('state/claim 1.json');
  expect(['a', 'b', 'c']).toContain(found?.body.toString());
});

test('a write with an ETag replaces that object only', async () => {
  const { s3 } = await cloudStandIn();
  const store = new S3Store(s3, BUCKET);
  const first = await store.put('plan.json', 'one');
  const second = await store.put('plan.json', 'two', { ifMatch: first });
  await expect(store.put('plan.json', 'three', { ifMatch: first })).rejects.toThrow(ConditionFailed);
  expect(await store.get('plan.json')).toEqual({ body: Buffer.from('two'), etag: second });
});

test('an object that does not exist has no content and no size', async () => {
  const { s3 } = await cloudStandIn();
  const store = new S3Store(s3, BUCKET);
  expect(await store.get('none')).toBeUndefined();
  expect(await store.head('none')).toBeUndefined();
  await store.delete('none');
  await expect(store.getFile('none', join(temporaryFolder(), 'x'))).rejects.toThrow(/no object none/);
});

test('a large file goes up in parts, comes back the same, and a download goes on where it stopped', async () => {
  const cloud = await cloudStandIn();
  const folder = temporaryFolder();
  const store = new S3Store(cloud.s3, BUCKET);
  const path = join(folder, 'source.mp4');
  writeFileSync(path, randomBytes(20 * 1024 ** 2));
  const etag = await store.putFile('영상/클립 1.mp4', path, { ifNoneMatch: '*' });
  expect(cloud.requests.filter((line) => line.includes('partNumber'))).toHaveLength(3);
  if (HAS_CONDITIONAL_COPIES)
    await expect(store.putFile('영상/클립 1.mp4', path, { ifNoneMatch: '*' })).rejects.toThrow(
      ConditionFailed,
    );

  const copy = join(folder, 'copy.mp4');
  let reads = 0;
  cloud.fault = (method, url) =>
    method === 'GET' && url.includes('.mp4') && ++reads > 1 ? 'refuse' : undefined;
  await expect(store.getFile('영상/클립 1.mp4', copy)).rejects.toThrow();
  cloud.fault = () => undefined;
  const [part = ''] = readdirSync(folder).filter((name) => name.endsWith('.part'));
  expect(readFileSync(join(folder, part))).toHaveLength(8 * 1024 ** 2);
  // A power cut may leave bytes that never reached the disk.
  truncateSync(join(folder, part), 9 * 1024 ** 2);
  await store.getFile('영상/클립 1.mp4', copy, { ifMatch: etag });
  expect(hash(copy)).toBe(hash(path));
  await store.put('영상/클립 1.mp4', 'another');
  await expect(store.getFile('영상/클립 1.mp4', copy, { ifMatch: etag })).rejects.toThrow(ConditionFailed);
});

test('an object that is too large for one request is copied in parts, on the same condition', async () => {
  const cloud = await cloudStandIn();
  const store = new S3Store(cloud.s3, BUCKET, { copyPartBytes: 5 * 1024 ** 2 });
  const folder = temporaryFolder();
  const path = join(folder, 'output.mp4');
  writeFileSync(path, randomBytes(12 * 1024 ** 2));
  await store.putFile('state/x/output', path);
  const to = { bucket: BUCKET, key: 'finished/clip.mp4' };
  const options = { condition: { ifNoneMatch: '*' as const } };
  let parts = 0;
  // A connection that breaks once does no harm.
  cloud.fault = (method, url) =>
    method === 'PUT' && url.includes('partNumber') && ++parts === 2 ? 'cut' : undefined;
  await store.copyTo('state/x/output', to, options);
  expect(parts).toBe(4);
  const copy = join(folder, 'copy.mp4');
  await store.getFile(to.key, copy);
  expect(hash(copy)).toBe(hash(path));
  if (!HAS_CONDITIONAL_COPIES) return;
  await expect(store.copyTo('state/x/output', to, options)).rejects.toThrow(ConditionFailed);
  // The same in one piece.
  await expect(new S3Store(cloud.s3, BUCKET).copyTo('state/x/output', to, options)).rejects.toThrow(
    ConditionFailed,
  );
});

test.each([10, -10])(
  'a clock that is wrong by %i minutes is corrected by that of the store',
  async (minutes) => {
    const cloud = await cloudStandIn();
    cloud.clockAheadMs = minutes * 60_000;
    const store = new S3Store(cloud.s3, BUCKET);
    expect(await store.head('none')).toBeUndefined();
    await store.put('state/x', 'content');
    expect((await store.get('state/x'))?.body.toString()).toBe('content');
    const queue = new SqsQueue(cloud.sqs);
    await queue.send(cloud.queueUrl, 'message');
    const { signal } = new AbortController();
    const found = await queue.receive(cloud.queueUrl, { visibilitySeconds: 60, waitSeconds: 1, signal });
    expect(found?.body).toBe('message');
  },
);

test('lists the objects of a prefix', async () => {
  const { s3 } = await cloudStandIn();
  const store = new S3Store(s3, BUCKET);
  for (const key of ['a/2', 'a/1', 'b/1']) await store.put(key, key);
  const found: string[] = [];
  for await (const { key, size } of store.list('a/')) found.push(`${key} ${size}`);
  expect(found).toEqual(['a/1 3', 'a/2 3']);
});

function hash(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
