import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A system clock that a test can set for all processes with its `environment`. */
export interface MovableClock {
  readonly environment: { readonly NODE_OPTIONS: string };
  /** Sets the offset of the clock from the true time. */
  set(offsetMs: number): void;
}

/** Only `Date` changes, as when a system clock is set: timers and `performance.now` are not affected. */
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
