import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, stat } from 'node:fs/promises';
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
import { copyInParts } from './copy-in-parts.ts';
import {
  ConditionFailed,
  type GetFileOptions,
  type ListedObject,
  type ObjectHead,
  type ObjectStore,
  type PutCondition,
  type PutFileOptions,
  type StoredObject,
  type Transfer,
} from './object-store.ts';
import { conditional, conditionOf, limited, until, type Target } from './s3-requests.ts';

/** Bytes read with one request. A download that was cut loses at most that much. */
const RANGE_BYTES = 8 * 1024 ** 2;

/** Files above this are uploaded in parts of the same size. */
const PART_BYTES = 8 * 1024 ** 2;

/** S3 has at most 10,000 parts an object. */
const MAX_PARTS = 10_000;

/**
 * Objects above this are copied in parts of the same size. S3 copies at most 5 GiB with one request, and says nothing while it does
 * so: with smaller parts, a slow copy can be told from one that hangs.
 */
const COPY_PART_BYTES = 128 * 1024 ** 2;

/** Attempts for one range. */
const ATTEMPTS = 5;

/** The objects of one bucket of S3, or of a server that speaks its protocol. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #copyPartBytes: number;

  /** @param options.copyPartBytes size of the parts of a copy; in tests smaller */
  constructor(client: S3Client, bucket: string, { copyPartBytes = COPY_PART_BYTES } = {}) {
    this.#client = client;
    this.#bucket = bucket;
    this.#copyPartBytes = copyPartBytes;
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
    const write = async (given: PutCondition | undefined): Promise<string> => {
      const request = { ...this.#at(key), Body: body, ...conditionOf(given) };
      const { ETag } = await conditional(key, () =>
        this.#client.send(new PutObjectCommand(request), limited(signal)),
      );
      return ETag ?? '';
    };
    try {
      return await write(condition);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || condition === undefined || !('ifMatch' in condition))
        throw error;
      // Ceph 16 refuses every ETag in quotes, but sends them in quotes.
      if ((await this.head(key))?.etag !== condition.ifMatch) throw error;
      return write({ ifMatch: condition.ifMatch.replaceAll('"', '') });
    }
  }

  async getFile(key: string, path: string, { ifMatch, signal, onMoved }: GetFileOptions = {}): Promise<void> {
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
        onMoved?.();
      }
    } finally {
      await file.close();
    }
    await rename(part, path);
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<string> {
    const { ifNoneMatch, signal } = options;
    const condition = ifNoneMatch === undefined ? undefined : { ifNoneMatch };
    const { size } = await stat(path);
    if (size > PART_BYTES) return this.#upload(key, path, { ...options, size, condition });
    const request = { ...this.#at(key), Body: await readFile(path), ...conditionOf(condition) };
    const { ETag } = await conditional(key, () =>
      this.#client.send(new PutObjectCommand(request), until(signal)),
    );
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
   * Copies an object to another bucket or key within the store, in parts where it is large. Throws ConditionFailed if the
   * condition on the other key does not hold.
   */
  async copyTo(
    key: string,
    to: { readonly bucket: string; readonly key: string },
    options: CopyOptions = {},
  ): Promise<void> {
    const { condition, signal } = options;
    const head = await this.head(key);
    if (head === undefined)
      throw new MissingObject(`There is no object ${key} in the bucket ${this.#bucket}.`);
    const source = {
      CopySource: [this.#bucket, ...key.split('/')].map(encodeURIComponent).join('/'),
      CopySourceIfMatch: head.etag,
    };
    const target = { Bucket: to.bucket, Key: to.key };
    await conditional(to.key, async () => {
      if (head.size > this.#copyPartBytes) {
        const { size } = head;
        const partBytes = Math.max(this.#copyPartBytes, Math.ceil(size / MAX_PARTS));
        return copyInParts(this.#client, { ...options, size, partBytes, source, target });
      }
      const request = { ...target, ...source, ...conditionOf(condition) };
      await this.#client.send(new CopyObjectCommand(request), until(signal));
    });
  }

  #at(key: string): Target {
    return { Bucket: this.#bucket, Key: key };
  }

  /** Uploads in parts. The condition is checked when the parts become an object. @returns the ETag */
  async #upload(
    key: string,
    path: string,
    { size, condition, signal, onMoved }: UploadRequest,
  ): Promise<string> {
    const { ETag } = await conditional(key, async () => {
      signal?.throwIfAborted();
      const upload = new Upload({
        client: this.#client,
        params: { ...this.#at(key), Body: createReadStream(path), ...conditionOf(condition) },
        partSize: Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS)),
        queueSize: 2,
      });
      const abort = (): void => void upload.abort();
      signal?.addEventListener('abort', abort);
      upload.on('httpUploadProgress', () => onMoved?.());
      try {
        return await upload.done();
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    });
    // Ceph 16 sends none.
    return ETag || ((await this.head(key))?.etag ?? '');
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
        const found = await this.#client.send(new GetObjectCommand(request), until(signal));
        const bytes = await bytesOf(found.Body);
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

export interface CopyOptions extends Transfer {
  readonly condition?: PutCondition;
}

interface UploadRequest extends Transfer {
  readonly size: number;
  readonly condition: PutCondition | undefined;
}

/** A file was wanted of an object that does not exist. */
export class MissingObject extends Error {
  override readonly name = 'MissingObject';
}

async function bytesOf(body: { transformToByteArray(): Promise<Uint8Array> } | undefined): Promise<Buffer> {
  return body === undefined ? Buffer.alloc(0) : Buffer.from(await body.transformToByteArray());
}
