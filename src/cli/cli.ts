import type { ExitCode } from '../domain/exit-codes.ts';

/** What the commands have of the world. */
export interface Cli {
  /** Writes a line to standard output. */
  print(line: string): void;
  /** Writes a line to standard error. */
  complain(line: string): void;
  /** Whether a person sees standard output in a terminal, where lines can be redrawn. */
  readonly interactive: boolean;
  readonly now: () => number;
  /** What the process ends with; a command sets it where it is not `ok`. */
  exitCode: ExitCode;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  /** `KEY=VALUE` each. */
  readonly set?: readonly string[];
}
