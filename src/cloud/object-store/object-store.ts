/**
 * A place where several machines keep objects under keys: a bucket, or a folder that all of them see. Keys use `/`. Each method
 * throws the error of the store when it cannot be reached or refuses access; a missing object is `undefined`, not an error,
 * except where a file is wanted.
 */
export interface ObjectStore {
  /** A small object, such as a JSON file, read whole; undefined if there is none. */
  get(key: string): Promise<StoredObject | undefined>;
  /**
   * Writes a small object. With `ifNoneMatch: '*'` only if the key is free, with `ifMatch` only if the object still has that
   * ETag. @returns the new ETag. Throws ConditionFailed, without having written, if the condition does not hold.
   */
  put(key: string, body: Buffer | string, condition?: PutCondition, signal?: AbortSignal): Promise<string>;
  /**
   * Reads an object into a file, by ranges. A download that an earlier process began goes on where that process stopped. Throws
   * ConditionFailed if the object is not the one with the ETag `ifMatch`, or changes meanwhile.
   */
  getFile(key: string, path: string, options?: GetFileOptions): Promise<void>;
  /** Writes a file as an object, in parts where it is large. @returns the new ETag. Throws ConditionFailed like `put`. */
  putFile(key: string, path: string, options?: PutFileOptions): Promise<string>;
  /** Size in bytes and ETag of an object; undefined if there is none. */
  head(key: string): Promise<ObjectHead | undefined>;
  /** All objects whose keys begin with `prefix`, by key. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Deletes an object; it need not exist. */
  delete(key: string): Promise<void>;
}

export interface StoredObject {
  body: Buffer;
  etag: string;
}

export interface ObjectHead {
  size: number;
  etag: string;
}

export interface ListedObject {
  key: string;
  size: number;
  etag: string;
}

export type PutCondition = { ifNoneMatch: '*' } | { ifMatch: string };

export interface GetFileOptions extends Transfer {
  ifMatch?: string;
}

export interface PutFileOptions extends Transfer {
  ifNoneMatch?: '*';
}

/** A transfer that may take hours. */
export interface Transfer {
  signal?: AbortSignal | undefined;
  /**
   * Called after each part that has arrived, so that a slow transfer can be told from one that hangs. A shared folder, and a small
   * object, have no parts.
   */
  onMoved?: (() => void) | undefined;
}

/** An object was not what a conditional read or write asked for: it exists already, or is another one. */
export class ConditionFailed extends Error {
  override readonly name = 'ConditionFailed';
}
