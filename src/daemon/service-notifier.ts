import { execFile } from 'node:child_process';

export interface ServiceManager {
  /** Whether somebody listens: systemd sets NOTIFY_SOCKET for a service of Type=notify. */
  readonly listens: boolean;
  /** It restarts a service that says nothing for so long; null where it does not watch. */
  readonly watchdogMs: number | null;
}

/**
 * Tells systemd how the daemon is. The words go through the program `systemd-notify`, because Node has no datagram
 * sockets of the file system; the unit therefore needs NotifyAccess=all. A word that does not arrive is no failure of
 * ours: a watchdog that hears nothing does its work.
 */
export class ServiceNotifier {
  readonly #manager: ServiceManager;
  readonly #onTrouble: (sentence: string) => void;
  #saidAtMs = -Infinity;
  #saying: Promise<void> = Promise.resolve();

  constructor(manager: ServiceManager, onTrouble: (sentence: string) => void) {
    this.#manager = manager;
    this.#onTrouble = onTrouble;
  }

  /** What dead processes left is taken back, and work begins. */
  ready(): void {
    this.#say('READY=1');
  }

  /** The loop moves: called at every turn, told three times within the watchdog's time. */
  alive(nowMs: number): void {
    const { watchdogMs } = this.#manager;
    if (watchdogMs === null || nowMs - this.#saidAtMs < watchdogMs / 3) return;
    this.#saidAtMs = nowMs;
    this.#say('WATCHDOG=1');
  }

  stopping(): void {
    this.#say('STOPPING=1');
  }

  /** Settles when all that was said has arrived. */
  settled(): Promise<void> {
    return this.#saying;
  }

  #say(word: string): void {
    if (!this.#manager.listens) return;
    // One after the other: they are processes of their own and could overtake each other.
    this.#saying = this.#saying.then(
      () =>
        new Promise((resolve) => {
          execFile('systemd-notify', [`--pid=${process.pid}`, word], { timeout: 5_000 }, (error) => {
            if (error !== null) this.#onTrouble(`systemd could not be told ${word}: ${error.message}`);
            resolve();
          });
        }),
    );
  }
}
