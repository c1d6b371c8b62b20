import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A wall clock that a test moves under running processes: those that get its `environment`. */
export interface MovableClock {
  readonly environment: { readonly NODE_OPTIONS: string };
  /** Puts the clock so far from the true time. */
  set(offsetMs: number): void;
}

/** Only `Date` moves, as when somebody sets the clock: timers and `performance.now` go on as they were. */
export function movableClock(folder: string): MovableClock {
  const offset = join(folder, 'clock-offset');
  const module = join(folder, 'movable-clock.mjs');
  writeFileSync(offset, '0');
  writeFileSync(
    module,
    `import { readFileSync } from 'node:fs';
const True = Date;
const now = () => True.now() + Number(readFileSync(${JSON.stringify(offset)}, 'utf8') || 0);
globalThis.Date = class extends True {
  constructor(...args) { if (args.length === 0) super(now()); else super(...args); }
  static now() { return now(); }
};
`,
  );
  return {
    environment: { NODE_OPTIONS: `--import=${pathToFileURL(module).href}` },
    set: (ms) => writeFileSync(offset, String(ms)),
  };
}
