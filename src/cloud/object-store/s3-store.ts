import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { hasStatus, statusOf } from '../aws/aws-errors.ts';
import {
  ConditionFailed,
  type GetFileOptions,
  type ListedObject,
  type ObjectHead,
  type ObjectStore,
  type PutCondition,
  type PutFileOptions,
  type StoredObject,
} from './object-store.ts';

/** Bytes read with one request. A download that was cut loses at most that much. */
const RANGE_BYTES = 8 * 1024 ** 2;

/** Files above this are uploaded in parts of the same size. */
const PART_BYTES = 8 * 1024 ** 2;

/** S3 has at most 10,000 parts an object. */
const MAX_PARTS = 10_000;

/** Objects above this cannot be copied with one request. */
const LARGEST_COPY_BYTES = 5_000_000_000;

/** Limit for a small request with all its retries, so that one that hangs does not keep a worker from noticing that. */
const SMALL_REQUEST_MS = 30_000;

/** Attempts for one range and for a write that meets another one on its key (409). */
const ATTEMPTS = 5;

/** The objects of one bucket of S3, or of a server that speaks its protocol. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    try {
      const found = await this.#client.send(new GetObjectCommand(this.#at(key)), limited());
      return { body: await bytesOf(found.Body), etag: found.ETag ?? '' };
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async put(
    key: string,
    body: Buffer | string,
    condition?: PutCondition,
    signal?: AbortSignal,
  ): Promise<string> {
    const request = { ...this.#at(key), Body: body, ...conditionOf(condition) };
    const { ETag } = await conditional(key, () =>
      this.#client.send(new PutObjectCommand(request), limited(signal)),
    );
    return ETag ?? '';
  }

  async getFile(key: string, path: string, { ifMatch, signal }: GetFileOptions = {}): Promise<void> {
    const head = await this.head(key);
    if (head === undefined)
      throw new MissingObject(`There is no object ${key} in the bucket ${this.#bucket}.`);
    if (ifMatch !== undefined && head.etag !== ifMatch)
      throw new ConditionFailed(`The object ${key} was changed.`);
    // The name of the unfinished file says which object it is of.
    const part = `${path}.${createHash('sha256').update(head.etag).digest('hex').slice(0, 16)}.part`;
    const file = await open(part, 'a+');
    try {
      const { size } = await file.stat();
      // The last range may not have reached the disk before a power cut.
      let offset = size === 0 ? 0 : Math.floor((size - 1) / RANGE_BYTES) * RANGE_BYTES;
      await file.truncate(offset);
      while (offset < head.size) {
        const range = await this.#range(key, head, offset, signal);
        await file.appendFile(range);
        await file.datasync();
        offset += range.length;
      }
    } finally {
      await file.close();
    }
    await rename(part, path);
  }

  async putFile(key: string, path: string, { ifNoneMatch, signal }: PutFileOptions = {}): Promise<string> {
    const condition = ifNoneMatch === undefined ? undefined : { ifNoneMatch };
    const { size } = await stat(path);
    if (size > PART_BYTES)
      return this.#upload(this.#at(key), { body: () => createReadStream(path), size, condition, signal });
    const request = { ...this.#at(key), Body: await readFile(path), ...conditionOf(condition) };
    const options = signal === undefined ? {} : { abortSignal: signal };
    const { ETag } = await conditional(key, () => this.#client.send(new PutObjectCommand(request), options));
    return ETag ?? '';
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    try {
      const found = await this.#client.send(new HeadObjectCommand(this.#at(key)), limited());
      return { size: found.ContentLength ?? 0, etag: found.ETag ?? '' };
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        limited(),
      );
      for (const { Key, Size, ETag } of page.Contents ?? [])
        if (Key !== undefined) yield { key: Key, size: Size ?? 0, etag: ETag ?? '' };
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(key)), limited());
  }

  /**
   * Copies an object to another bucket or key: within S3, or through this machine where it is too large for that. Throws
   * ConditionFailed if the condition on the other key does not hold.
   */
  async copyTo(
    key: string,
    to: { readonly bucket: string; readonly key: string },
    { condition, signal, largestCopyBytes = LARGEST_COPY_BYTES }: CopyOptions = {},
  ): Promise<void> {
    const head = await this.head(key);
    if (head === undefined)
      throw new MissingObject(`There is no object ${key} in the bucket ${this.#bucket}.`);
    const target = { Bucket: to.bucket, Key: to.key };
    if (head.size > largestCopyBytes) {
      const body = (): Readable => Readable.from(this.#ranges(key, head, signal));
      await this.#upload(target, { body, size: head.size, condition, signal });
      return;
    }
    const CopySource = [this.#bucket, ...key.split('/')].map(encodeURIComponent).join('/');
    const request = { ...target, CopySource, CopySourceIfMatch: head.etag, ...conditionOf(condition) };
    const options = signal === undefined ? {} : { abortSignal: signal };
    await conditional(to.key, () => this.#client.send(new CopyObjectCommand(request), options));
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  /** Uploads in parts. The condition is checked when the parts become an object. @returns the ETag */
  async #upload(
    target: { readonly Bucket: string; readonly Key: string },
    { body, size, condition, signal }: UploadRequest,
  ): Promise<string> {
    const { ETag } = await conditional(target.Key, async () => {
      signal?.throwIfAborted();
      const upload = new Upload({
        client: this.#client,
        params: { ...target, Body: body(), ...conditionOf(condition) },
        partSize: Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS)),
        queueSize: 2,
      });
      const abort = (): void => void upload.abort();
      signal?.addEventListener('abort', abort);
      try {
        return await upload.done();
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    });
    return ETag ?? '';
  }

  async *#ranges(key: string, head: ObjectHead, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
    for (let offset = 0; offset < head.size; offset += RANGE_BYTES)
      yield await this.#range(key, head, offset, signal);
  }

  /** Reads a range whole, and again if the connection breaks meanwhile: the SDK repeats requests, but not their answers. */
  async #range(
    key: string,
    { size, etag }: ObjectHead,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    const last = Math.min(size, offset + RANGE_BYTES) - 1;
    const request = { ...this.#at(key), Range: `bytes=${offset}-${last}`, IfMatch: etag };
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const options = signal === undefined ? {} : { abortSignal: signal };
        const bytes = await bytesOf((await this.#client.send(new GetObjectCommand(request), options)).Body);
        if (bytes.length === last - offset + 1) return bytes;
        throw new Error(`The store sent ${bytes.length} bytes of ${key} instead of ${last - offset + 1}.`);
      } catch (error) {
        if (hasStatus(error, 412))
          throw new ConditionFailed(`The object ${key} was changed.`, { cause: error });
        const isRefused = (statusOf(error) ?? 500) < 500;
        if (isRefused || attempt === ATTEMPTS) throw error;
        await delay(attempt * 1000, undefined, { signal });
      }
    }
  }
}

export interface CopyOptions {
  readonly condition?: PutCondition;
  readonly signal?: AbortSignal;
  /** Objects above this are read and uploaded in parts; in tests smaller than the limit of S3. */
  readonly largestCopyBytes?: number;
}

interface UploadRequest {
  /** Begins the content anew. */
  readonly body: () => Readable;
  readonly size: number;
  readonly condition: PutCondition | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A file was wanted of an object that does not exist. */
export class MissingObject extends Error {
  override readonly name = 'MissingObject';
}

function limited(signal?: AbortSignal): { abortSignal: AbortSignal } {
  const limit = AbortSignal.timeout(SMALL_REQUEST_MS);
  return { abortSignal: signal === undefined ? limit : AbortSignal.any([limit, signal]) };
}

function conditionOf(condition: PutCondition | undefined): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  return 'ifMatch' in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: '*' };
}

async function bytesOf(body: { transformToByteArray(): Promise<Uint8Array> } | undefined): Promise<Buffer> {
  return body === undefined ? Buffer.alloc(0) : Buffer.from(await body.transformToByteArray());
}

/** Makes a conditional write; repeats it where another write to the key is under way (409), as the protocol asks for. */
async function conditional<Result>(key: string, write: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (hasStatus(error, 412))
        throw new ConditionFailed(`The object ${key} exists already or was changed.`, { cause: error });
      if (!hasStatus(error, 409) || attempt === ATTEMPTS) throw error;
      await delay(attempt * 100);
    }
  }
}
