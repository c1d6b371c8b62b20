import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from '../process-memory.mjs';

/** Ticks of /proc/PID/stat are hundredths of a second on Linux. */
const TICK_MS = 10;
const EVERY_MS = 100;

/** Follows the CPU time of the threads of the worker, which is the child of the program, and of the program itself. */
export class ThreadTimes {
  #program;
  #timer;
  #times = new Map();

  constructor(program) {
    this.#program = program;
    this.#timer = setInterval(() => this.#sample(), EVERY_MS);
  }

  /** CPU time in ms, up to the last sample. */
  stop() {
    clearInterval(this.#timer);
    const sums = new Map();
    for (const [key, ms] of this.#times) {
      const name = key.split('/')[0];
      sums.set(name, (sums.get(name) ?? 0) + ms);
    }
    return sums;
  }

  #sample() {
    this.#sampleProcess(this.#program, 'program');
    for (const pid of childrenOf(this.#program)) {
      try {
        if (/node/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]))
          this.#sampleProcess(pid, 'worker');
      } catch {
        // It has ended.
      }
    }
  }

  #sampleProcess(pid, name) {
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const which = thread === String(pid) ? 'main thread' : 'other threads';
        this.#times.set(`${name}, ${which}/${thread}`, (Number(fields[11]) + Number(fields[12])) * TICK_MS);
      }
    } catch {
      // It has ended.
    }
  }
}
