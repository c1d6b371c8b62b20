import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../config/home.ts';
import { InputRejectedError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { writerOf } from '../lib/process/file-writers.ts';
import { publishFile } from './durable-file.ts';

/*
 * A speech from standard input is received into `.framekiln/speech/NAME.part`, which gets the name NAME when the input has ended.
 * So the name of a job's speech exists only when the speech is complete, and what has arrived survives a kill.
 */

const PART = '.part';
const LOOK_EVERY_MS = 50;
/** Times that nothing has arrived, after which it is checked whether anybody still writes. */
const LOOKS_UNTIL_CHECK = 40;
const KEPT_MS = 24 * 3_600_000;

type SpeechPlace = Pick<Home, 'speechDir'>;

/** Makes the folder of speeches. @returns the path that a speech will have when it is complete */
export function placeForSpeech({ speechDir }: SpeechPlace, name: string): string {
  makeFolder(speechDir);
  return join(speechDir, name);
}

/** The path of a speech as long as it is arriving. */
export function partOf(path: string): string {
  return path + PART;
}

/** Receives a speech. Settles when the input has ended and the speech has its name, durably. */
export async function receiveSpeech(input: AsyncIterable<Buffer>, path: string): Promise<void> {
  const file = await open(partOf(path), 'wx', 0o600);
  try {
    // Not awaited by the input's end only: what is decoded meanwhile is what is in the file.
    for await (const chunk of input) await file.appendFile(chunk);
  } finally {
    await file.close();
  }
  await publishFile(partOf(path), path, 'other-file');
}

/**
 * Takes what had arrived of a speech for the whole speech, if nobody receives it any more and it is not complete already.
 *
 * @returns its path
 */
export async function endSpeech(part: string): Promise<string> {
  const path = part.endsWith(PART) ? part.slice(0, -PART.length) : part;
  if (path === part) return path;
  if (!(await exists(part))) {
    if (await exists(path)) return path;
    throw new InputRejectedError(
      'BAD_AUDIO',
      `${part} is gone; run the command again with the whole speech.`,
    );
  }
  const writer = await writerOf(part);
  if (writer !== null)
    throw new InputRejectedError(
      'BAD_AUDIO',
      `${part} is still being received by process ${writer}; wait for its end, or stop that process.`,
    );
  await publishFile(part, path, 'other-file');
  return path;
}

/**
 * Removes speeches that no job needs and that nobody receives, a day after their last byte: another command may be about to store
 * its job, or may have been interrupted before it did.
 *
 * @param needed paths of complete speeches
 */
export async function removeOldSpeeches(
  { speechDir }: SpeechPlace,
  needed: ReadonlySet<string>,
): Promise<void> {
  for (const name of await readdir(speechDir)) {
    const path = join(speechDir, name);
    const whole = name.endsWith(PART) ? path.slice(0, -PART.length) : path;
    if (needed.has(whole) || (await writerOf(path).catch(() => 0)) !== null) continue;
    const mtimeMs = (await stat(path).catch(() => null))?.mtimeMs ?? Infinity;
    if (Date.now() - mtimeMs < KEPT_MS) continue;
    await rm(path, { force: true });
  }
}

/** A speech that is read while it is received. */
export class ReceivedSpeech {
  readonly #path: string;
  #file: Awaited<ReturnType<typeof open>> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Its bytes from the start, until it is complete. @throws InputRejectedError BAD_AUDIO if its end will never come */
  async *bytes(signal: AbortSignal): AsyncIterable<Buffer> {
    this.#file ??= await this.#open();
    let position = 0;
    let isComplete = false;
    for (let looks = 0; ; looks++) {
      const buffer = Buffer.alloc(65_536);
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, position);
      position += bytesRead;
      if (bytesRead > 0) {
        looks = 0;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      // The name is given after the last byte: one more look finds everything.
      if (isComplete) return;
      isComplete = await exists(this.#path);
      if (isComplete) continue;
      if (looks > 0 && looks % LOOKS_UNTIL_CHECK === 0) await this.#assertReceived();
      await delay(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  /** Makes sure that all that was read survives a power cut. */
  async sync(): Promise<void> {
    await this.#file?.datasync();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #open(): Promise<Awaited<ReturnType<typeof open>>> {
    for (const path of [this.#path, partOf(this.#path), this.#path]) {
      try {
        return await open(path, 'r');
      } catch (error) {
        // Between the two, it may have got its name.
        if (!isMissingFile(error)) throw error;
      }
    }
    throw new InputRejectedError('BAD_AUDIO', `The speech ${this.#path} is gone; run the command again.`);
  }

  async #assertReceived(): Promise<void> {
    const part = partOf(this.#path);
    const writer = await writerOf(part).catch((error: unknown) => {
      if (isMissingFile(error)) return 0;
      throw error;
    });
    if (writer !== null) return;
    throw new InputRejectedError(
      'BAD_AUDIO',
      `The program that received the speech ended before its end; to make the video with what had arrived, run the command again with --audio ${part}.`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r')).close();
    return true;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
}
