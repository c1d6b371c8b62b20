import cliProgress from 'cli-progress';
import type { Cli } from './cli.ts';

/** Progress of one operation that takes a while. */
export interface ProgressBar {
  /** Redraws the bar, followed by `text`, such as `0.31 fps`. */
  update(done: number, total: number, text: string): void;
  /** Stops redrawing and keeps the last state on the screen. May be called twice. */
  stop(): void;
}

/** Creates a bar that is redrawn in a terminal. Without a terminal it prints nothing, because redrawn lines clutter a log. */
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
