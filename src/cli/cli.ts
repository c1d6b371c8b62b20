import type { ExitCode } from '../domain/exit-codes.ts';

/** How commands print, tell the time and set the exit code. */
export interface Cli {
  /** Writes a line to standard output. */
  print(line: string): void;
  /** Writes a line to standard error. */
  complain(line: string): void;
  /** Whether standard output is a terminal, where lines can be redrawn. */
  readonly interactive: boolean;
  /** Columns of the terminal; Infinity if standard output is none. */
  readonly columns: number;
  readonly now: () => number;
  /** Exit code of the process; a command sets it if it is not `ok`. */
  exitCode: ExitCode;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  /** `KEY=VALUE` each. */
  readonly set?: readonly string[];
}
