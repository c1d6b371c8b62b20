import { processEnvironment } from '../config/environment.ts';
import { findProgram } from '../lib/process/find-program.ts';
import { spawnChild } from '../lib/process/spawn-child.ts';

/**
 * Keeps the machine awake with systemd-inhibit; does nothing if that is missing or fails. The lock is held by a `cat` that
 * reads from this process, so the lock ends with this process, even after SIGKILL.
 */
export class SleepInhibitor {
  #release: (() => void) | null = null;
  #isUnavailable = false;

  /** Sets whether sleep is inhibited. Repeated calls with the same value do nothing. */
  set(wanted: boolean): void {
    if (!wanted) {
      this.#release?.();
      this.#release = null;
      return;
    }
    if (this.#release !== null || this.#isUnavailable) return;
    const env = processEnvironment();
    this.#isUnavailable = findProgram('systemd-inhibit', env['PATH']) === null;
    if (!this.#isUnavailable) this.#hold(env);
  }

  #hold(env: Readonly<Record<string, string>>): void {
    const lock = ['--what=sleep:idle', '--who=Framekiln', '--why=jobs are being processed', '--mode=block'];
    const child = spawnChild(
      ['systemd-inhibit', ...lock, 'cat'],
      { env },
      { stdio: ['pipe', 'ignore', 'ignore'] },
    );
    child.stdin.on('error', () => undefined); // The process is gone; its exit is handled below.
    const release = (): void => void child.stdin.end();
    this.#release = release;
    void child.then(() => {
      // It ended although it was not released, so it would fail every time, for example without a session bus.
      if (this.#release !== release) return;
      this.#release = null;
      this.#isUnavailable = true;
    });
  }
}
