import cliProgress from 'cli-progress';
import type { Cli } from './cli.ts';

/** Progress of one thing that takes a while. */
export interface ProgressBar {
  /** `text` stands behind the bar: what is known beside the share, such as `0.31 fps`. */
  update(done: number, total: number, text: string): void;
  /** Leaves the last state standing. May be called twice. */
  stop(): void;
}

/** A bar that is redrawn in a terminal; elsewhere nothing, because redrawn lines make no log. */
export function createProgressBar(cli: Cli, title: string): ProgressBar {
  if (!cli.interactive) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar(
    { format: `${title} {bar} {text}`, hideCursor: true },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total, text) {
      if (started) {
        bar.setTotal(total);
        bar.update(done, { text });
      } else bar.start(total, done, { text });
      started = true;
    },
    stop() {
      if (started) bar.stop();
    },
  };
}
