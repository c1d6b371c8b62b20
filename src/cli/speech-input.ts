import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Home } from '../config/home.ts';
import { InputRejectedError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import {
  endSpeech,
  partOf,
  placeForSpeech,
  receiveSpeech,
  removeOldSpeeches,
} from '../workspace/received-speech.ts';
import { withQueue } from './open-home.ts';

/** Standard input, as the value of `--audio`. */
const STANDARD_INPUT = '-';

/** A speech that arrives on standard input, or one that did and whose job was interrupted. */
export interface SpeechInput {
  /** Path of the speech when it is complete. */
  readonly audio: string;
  /** Path of what has arrived; null: nothing arrives any more. */
  readonly part: string | null;
  /** Begins to receive; settles at the end of the input. */
  readonly receive: () => Promise<void>;
}

/**
 * What `--audio` means for the speech of a job; null for a file of the user.
 *
 * @throws InputRejectedError BAD_AUDIO if standard input is a terminal
 */
export async function speechInput(audio: string | undefined, home: Home): Promise<SpeechInput | null> {
  if (audio === undefined) return null;
  if (audio !== STANDARD_INPUT) {
    const path = resolve(audio);
    if (dirname(path) !== home.speechDir) return null;
    return { audio: await endSpeech(path), part: null, receive: () => Promise.resolve() };
  }
  if (process.stdin.isTTY)
    throw new InputRejectedError(
      'BAD_AUDIO',
      'No speech arrives on standard input, because it is a terminal; write a program that sends audio before the command: PROGRAM | framekiln run ...',
    );
  const path = placeForSpeech(home, `${Date.now()}-${randomBytes(4).toString('hex')}`);
  await withQueue(home, (queue) => removeOldSpeeches(home, speechesOf(queue.jobs.listJobs())));
  return { audio: path, part: partOf(path), receive: () => receiveSpeech(process.stdin, path) };
}

/** Marks the recipe of a job whose speech arrives on standard input. */
export function withStreamedSpeech(recipe: Recipe, input: SpeechInput | null): Recipe {
  return input !== null && recipe.pipeline === 'lip-sync' ? { ...recipe, streamed: true } : recipe;
}

/** Paths of the speeches that jobs still need. */
function speechesOf(jobs: readonly { readonly state: string; readonly recipe: Recipe }[]): Set<string> {
  return new Set(
    jobs
      .filter(({ state }) => state !== 'done' && state !== 'cancelled')
      .flatMap(({ recipe }) =>
        recipe.pipeline === 'lip-sync' && recipe.audio !== undefined ? [recipe.audio] : [],
      ),
  );
}
