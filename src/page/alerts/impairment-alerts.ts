import type { Health, Impairment } from '../../daemon/health.ts';
import type { Alert } from './alert-watch.ts';

/**
 * Impairments that need somebody's attention whatever they look at. A job that waits says so itself.
 */
const LEVELS: Readonly<Partial<Record<Impairment['code'], Alert['level']>>> = {
  QUEUE_UNUSABLE: 'error',
  DISK_READ_ONLY: 'error',
  SCAN_FAILED: 'warning',
  WORKER_CRASHED: 'warning',
  SETTINGS_INVALID: 'warning',
};

/** What of the daemon's health the page shows on every panel. */
export function impairmentAlerts({ impairments }: Health): Alert[] {
  return impairments.flatMap(({ code, message, remedy }) => {
    const level = LEVELS[code];
    return level === undefined ? [] : [{ code, level, message, remedy }];
  });
}
