import { existsSync, readFileSync } from 'node:fs';
import { sha256Of, type Content } from './contents.ts';

/** A file that the walk wrote as a person does, and that Framekiln must not change. */
export interface Belonging {
  path: string;
  sha256: string;
  readonly kind: 'source' | 'sidecar' | 'foreign file' | 'edited output';
  /** The video, for a source. */
  readonly content: Content | null;
  /** Whether a writer still has it open, in the middle of a copy. */
  incomplete: boolean;
}

/** The files of a person, by what that person did. */
export class Belongings {
  readonly #present = new Map<string, Belonging>();
  /** Sources that disappeared without the person's doing. */
  readonly gone: Belonging[] = [];

  get present(): readonly Belonging[] {
    return [...this.#present.values()];
  }

  /** Sources and sidecars that are still in their place, in a fixed order. */
  sources(): Belonging[] {
    this.noteGone();
    return this.present.filter(({ kind }) => kind === 'source').sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  at(path: string): Belonging | undefined {
    return this.#present.get(path);
  }

  /** Notes that the person has written a file; an earlier one at this path was replaced by that. */
  put(belonging: Belonging): Belonging {
    this.#present.set(belonging.path, belonging);
    return belonging;
  }

  /** Notes that the person has deleted a file. */
  drop(belonging: Belonging): void {
    if (this.#present.get(belonging.path) === belonging) this.#present.delete(belonging.path);
  }

  /** Notes that the person has renamed a file. */
  move(belonging: Belonging, path: string): void {
    this.drop(belonging);
    belonging.path = path;
    this.put(belonging);
  }

  /** Notes which sources have disappeared, before the person puts something else in their place. */
  noteGone(): void {
    for (const belonging of this.present) {
      if (belonging.kind !== 'source' || existsSync(belonging.path)) continue;
      this.drop(belonging);
      this.gone.push(belonging);
    }
  }

  /** Files that are missing or have other bytes. */
  violations(): string[] {
    return this.present.flatMap(({ path, kind, sha256 }) => {
      if (!existsSync(path)) return [`A: the ${kind} ${path} is gone`];
      return sha256Of(readFileSync(path)) === sha256 ? [] : [`A: the ${kind} ${path} has other bytes`];
    });
  }
}
