import type { FastifyInstance } from 'fastify';
import { setMaxListeners } from 'node:events';
import type { IdentifiedHome } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { programVersion } from '../config/program-version.ts';
import type { Settings } from '../config/settings.ts';
import { StatusReader } from '../control/read-status.ts';
import type { Health } from '../daemon/health.ts';
import { codeOf, toError } from '../domain/errors.ts';
import { readGpuFigures } from '../hardware/gpu-figures.ts';
import { sharePending } from '../lib/share-pending.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { LogTail } from '../observability/log-tail.ts';
import type { GpuFigures, Metrics } from '../observability/metrics.ts';
import type { Queue } from '../queue/queue.ts';
import { pageAddress } from './address.ts';
import type { AlertFacts } from './alerts/alert-rules.ts';
import { AlertWatch, type Alert } from './alerts/alert-watch.ts';
import { impairmentAlerts } from './alerts/impairment-alerts.ts';
import { addRoutes } from './add-routes.ts';
import { createServer } from './create-server.ts';
import { Guard } from './guard/guard.ts';
import { readToken } from './guard/token.ts';
import { LiveState } from './live-state.ts';
import { HistoryRecorder } from './machine/record-history.ts';
import { MachineSampler } from './machine/sample-machine.ts';

export interface PageOptions {
  readonly home: IdentifiedHome;
  readonly settings: LiveSettings;
  readonly queue: Queue;
  readonly log: Logger;
  readonly tail: LogTail;
  readonly metrics: Metrics;
  readonly health: () => Health;
}

/** The web page while it is served. */
export interface Page {
  /** Ends all connections. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves the web page of a home, in the daemon's process. The page must never stop the daemon's work, so a page that cannot be
 * served is a warning in the log.
 *
 * @returns null if the page cannot be served
 */
export async function openPage(options: PageOptions): Promise<Page | null> {
  const { settings, log } = options;
  const { host, port } = settings.now().page;
  try {
    const page = await servePage(options);
    log.info(`page: ${pageAddress(settings.now().page)}`);
    return page;
  } catch (error) {
    const inUse = codeOf(error) === 'EADDRINUSE';
    const why = inUse ? `port ${port} on ${host} is in use` : withoutFullStop(toError(error).message);
    const advice = inUse ? '; to use another port, set page.port and restart the daemon' : '';
    log.warn(`cannot serve the page: ${why}; continuing without it${advice}`);
    return null;
  }
}

async function servePage(options: PageOptions): Promise<Page> {
  const { home, settings, queue, log, metrics, health } = options;
  const token = await readToken(home);
  const guard = new Guard({ token, names: () => settings.now().page.names, now: Date.now });
  // This process is the daemon.
  const isDaemonRunning = (): boolean => true;
  const requests = { queue, isDaemonRunning, now: Date.now };
  const status = new StatusReader({ home, ...requests, settings: () => settings.now() });
  const closing = new AbortController();
  // Every open page listens.
  setMaxListeners(0, closing.signal);
  const readGpus = sharePending(() => readGpuFigures(closing.signal));
  const steadyNow = (): number => performance.now();
  const alertWatch = new AlertWatch(
    async () => ({ gpus: measuredGpus(await readGpus()), ...(await metrics.percentiles()) }),
    log,
    steadyNow,
  );
  const alerts = (): Alert[] => [...impairmentAlerts(health()), ...alertWatch.active];
  const live = new LiveState({ queue, status, outputDir: home.output, alerts, log, steadyNow });
  const sampler = new MachineSampler(home.output, () => speedOf(queue), readGpus);
  const recorder = new HistoryRecorder(home, sampler);
  const app = createServer(guard, log);
  const { history } = recorder;
  const context = { ...options, status, requests, live, history, readGpus, guard, token };
  const version = programVersion();
  await addRoutes(app, { ...context, version, signal: closing.signal });
  const close = async (): Promise<void> => {
    closing.abort();
    live.close();
    alertWatch.close();
    await Promise.all([app.close(), recorder.close()]);
  };
  await listen(app, settings.now().page, close);
  await recorder.start();
  alertWatch.start();
  return { close };
}

/** For the alerts; see AlertFacts. nvidia-smi lists at least one GPU unless it fails. */
function measuredGpus(figures: readonly GpuFigures[] | null): AlertFacts['gpus'] {
  if (figures === null) return [];
  return figures.length === 0 ? null : figures;
}

/** Frames per second of all running jobs together. */
function speedOf(queue: Queue): number | null {
  const running = queue.jobs.listJobs({ state: 'running' });
  return running.reduce((sum, { framesPerSecond }) => sum + (framesPerSecond ?? 0), 0);
}

async function listen(
  app: FastifyInstance,
  { host, port }: Settings['page'],
  close: () => Promise<void>,
): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await close();
    throw error;
  }
}
