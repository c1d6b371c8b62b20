import { spawn, type ChildProcess } from 'node:child_process';
import { processEnvironment } from '../config/environment.ts';
import { findProgram } from '../lib/find-program.ts';

/**
 * Keeps the machine from going to sleep, by systemd-inhibit; where that is missing, or rejects, nothing happens. The lock
 * lasts as long as a `cat` that reads from us: it goes with us, however we end.
 */
export class SleepInhibitor {
  #holder: ChildProcess | null = null;
  #isHopeless = false;

  /** Sets whether sleep is inhibited. May be called as often as one likes. */
  set(wanted: boolean): void {
    if (!wanted) {
      this.#holder?.stdin?.end();
      this.#holder = null;
      return;
    }
    const environment = processEnvironment();
    if (this.#holder !== null || this.#isHopeless) return;
    this.#isHopeless = findProgram('systemd-inhibit', environment['PATH']) === null;
    if (this.#isHopeless) return;
    const lock = ['--what=sleep:idle', '--who=Framekiln', '--why=a video is being made', '--mode=block'];
    const child = spawn('systemd-inhibit', [...lock, 'cat'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: environment,
    });
    this.#holder = child;
    child.stdin.on('error', () => undefined); // It is gone; its exit says so.
    const end = (): void => {
      // Without a session bus it ends at once, and would do so each time.
      if (this.#holder !== child) return;
      this.#holder = null;
      this.#isHopeless = true;
    };
    child.once('error', end);
    child.once('exit', end);
  }
}
