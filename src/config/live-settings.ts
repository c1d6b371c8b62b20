import { statSync } from 'node:fs';
import { isMissingFile } from '../lib/file-errors.ts';
import { fileSignature } from '../lib/file-signature.ts';
import { loadSettings, type LoadedSettings, type SettingSources } from './load-settings.ts';
import type { Settings } from './settings.ts';

/** Current settings: reads the settings files again whenever one of them has changed. */
export class LiveSettings {
  readonly sources: SettingSources;
  readonly #onChange: (loaded: LoadedSettings) => void;
  #signature: string;
  #loaded: LoadedSettings;

  /** @param onChange called after each change, not for the first read */
  constructor(sources: SettingSources, onChange: (loaded: LoadedSettings) => void = () => undefined) {
    this.sources = sources;
    this.#onChange = onChange;
    this.#signature = signatureOf(sources);
    this.#loaded = loadSettings(sources);
  }

  now(): Settings {
    const signature = signatureOf(this.sources);
    if (signature !== this.#signature) {
      this.#signature = signature;
      this.#loaded = loadSettings(this.sources);
      this.#onChange(this.#loaded);
    }
    return this.#loaded.settings;
  }

  /** The settings as last read, with their faults and origins. */
  get loaded(): LoadedSettings {
    return this.#loaded;
  }
}

function signatureOf({ home }: SettingSources): string {
  return [home.detectedFile, home.configFile].map(signatureOrNone).join(' ');
}

function signatureOrNone(path: string): string {
  try {
    return fileSignature(statSync(path, { bigint: true }));
  } catch (error) {
    if (isMissingFile(error)) return 'none';
    return 'unreadable';
  }
}
