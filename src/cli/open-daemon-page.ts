import { programVersion } from '../config/program-version.ts';
import { toError } from '../domain/errors.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Page, PageOptions } from '../page/open-page.ts';

/** Starts to count for the metrics of the page; null if that is impossible, and then there is no page. */
export async function startMetrics(log: Logger): Promise<Metrics | null> {
  try {
    const { Metrics: Counting } = await import('../observability/metrics.ts');
    return new Counting(programVersion());
  } catch (error) {
    log.warn(`cannot serve the page: ${withoutFullStop(toError(error).message)}; continuing without it`);
    return null;
  }
}

/**
 * Opens the page of the daemon. Its program is loaded only now, because that takes longer than most commands, and a daemon
 * must also run without it.
 */
export async function openDaemonPage(options: PageOptions): Promise<Page | null> {
  try {
    const { openPage } = await import('../page/open-page.ts');
    return await openPage(options);
  } catch (error) {
    options.log.warn(
      `cannot serve the page: ${withoutFullStop(toError(error).message)}; continuing without it`,
    );
    return null;
  }
}
