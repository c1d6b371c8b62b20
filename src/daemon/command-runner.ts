import { toError } from '../domain/errors.ts';
import { handleCommands, type CommandTargets } from './command-loop.ts';

/** Carries out commands concurrently with the daemon's loop, because `add` reads a whole file. One round at a time. */
export class CommandRunner {
  readonly #targets: CommandTargets;
  #round: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isAdding = false;
  #failure: unknown = null;

  constructor(targets: CommandTargets) {
    this.#targets = { ...targets, add: (argument) => this.#add(argument, targets.add) };
  }

  /** Whether a file is being added at the moment. */
  get isAdding(): boolean {
    return this.#isAdding;
  }

  /** The error of the last round that failed as a whole, or null. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Starts to carry out the waiting commands, unless the previous round is still running. */
  runWaiting(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#round = this.#run();
  }

  /** Resolves when the current round, if any, has ended. */
  async settled(): Promise<void> {
    await this.#round;
  }

  async #run(): Promise<void> {
    try {
      await handleCommands(this.#targets);
    } catch (error) {
      this.#failure = error;
      this.#targets.log.error(`cannot execute a command: ${toError(error).message}`);
    } finally {
      this.#isRunning = false;
    }
  }

  async #add(argument: unknown, add: CommandTargets['add']): Promise<string> {
    this.#isAdding = true;
    try {
      return await add(argument);
    } finally {
      this.#isAdding = false;
    }
  }
}
