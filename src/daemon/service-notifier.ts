import { childEnvironment } from '../config/environment.ts';
import { runCaptured } from '../lib/process/captured-process.ts';

const NOTIFY_TIMEOUT_MS = 5_000;

export interface ServiceManager {
  /** The socket of systemd, for a service of Type=notify; null: systemd does not listen. */
  readonly notifySocket: string | null;
  /** Time without a notification after which systemd restarts the service; null: never. */
  readonly watchdogMs: number | null;
}

/**
 * Notifies systemd of the daemon's state. It runs the program `systemd-notify`, because Node has no Unix datagram
 * sockets; the unit therefore needs NotifyAccess=all. A failed notification is only a warning: without notifications the
 * watchdog restarts the service.
 */
export class ServiceNotifier {
  readonly #manager: ServiceManager;
  readonly #onFailure: (sentence: string) => void;
  #aliveAtMs = -Infinity;
  #sent: Promise<void> = Promise.resolve();

  constructor(manager: ServiceManager, onFailure: (sentence: string) => void) {
    this.#manager = manager;
    this.#onFailure = onFailure;
  }

  /** The daemon has cleaned up after dead processes and starts its work. */
  ready(): void {
    this.#send('READY=1');
  }

  /** Called on every turn of the daemon's loop; notifies systemd three times within the watchdog's time. */
  alive(nowMs: number): void {
    const { watchdogMs } = this.#manager;
    if (watchdogMs === null || nowMs - this.#aliveAtMs < watchdogMs / 3) return;
    this.#aliveAtMs = nowMs;
    this.#send('WATCHDOG=1');
  }

  stopping(): void {
    this.#send('STOPPING=1');
  }

  /** Settles when all notifications so far are sent. */
  settled(): Promise<void> {
    return this.#sent;
  }

  #send(state: string): void {
    const { notifySocket } = this.#manager;
    if (notifySocket === null) return;
    // One after the other: each is a process of its own, and could overtake the one before.
    this.#sent = this.#sent.then(async () => {
      const { outcome, exitCode, stderr } = await runCaptured(
        ['systemd-notify', `--pid=${process.pid}`, state],
        { env: { ...childEnvironment(), NOTIFY_SOCKET: notifySocket }, timeoutMs: NOTIFY_TIMEOUT_MS },
      );
      if (exitCode !== 0) this.#onFailure(`cannot notify systemd of ${state}: ${stderr.trim() || outcome}`);
    });
  }
}
