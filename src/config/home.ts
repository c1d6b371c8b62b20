import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ConfigurationError } from '../domain/errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { homeFromEnvironment } from './environment.ts';

/** The one folder under which everything of a Framekiln lives. All paths are absolute. */
export interface Home {
  readonly root: string;
  readonly input: string;
  readonly output: string;
  readonly logs: string;
  readonly models: string;
  /** `.framekiln/`: what is Framekiln's own business. */
  readonly stateDir: string;
  readonly databaseFile: string;
  /** Locked by the daemon that works on this home. */
  readonly lockFile: string;
  /** A folder a job. */
  readonly jobsDir: string;
  /** What became of everything in a source, a file a finished job. */
  readonly reportsDir: string;
  /** What a person wrote. */
  readonly configFile: string;
  /** What the probe chose for this machine. */
  readonly detectedFile: string;
  /** What the probe found out, and when. */
  readonly probeFile: string;
}

/** The program's own folder, which holds `package.json` and `models/manifest.json`; it is found from src/ and from dist/. */
export const programRoot = resolve(import.meta.dirname, '../..');

/** The home: `--home` over `FRAMEKILN_HOME` over the program's own folder. */
export function resolveHome({ flag, cwd }: { readonly flag: string | null; readonly cwd: string }): Home {
  return homeAt(realPath(resolve(cwd, flag ?? homeFromEnvironment() ?? programRoot)));
}

/** @param root absolute */
export function homeAt(root: string): Home {
  const stateDir = join(root, '.framekiln');
  return {
    root,
    input: join(root, 'input'),
    output: join(root, 'output'),
    logs: join(root, 'logs'),
    models: join(root, 'models'),
    stateDir,
    databaseFile: join(stateDir, 'framekiln.db'),
    lockFile: join(stateDir, 'daemon.lock'),
    jobsDir: join(stateDir, 'jobs'),
    reportsDir: join(stateDir, 'reports'),
    configFile: join(root, 'framekiln.yaml'),
    detectedFile: join(stateDir, 'detected.yaml'),
    probeFile: join(stateDir, 'probe.json'),
  };
}

/**
 * Makes the home's folders where they are missing.
 *
 * @throws ConfigurationError when a folder cannot be made, or when `input/` and `output/` overlap, through symbolic
 *   links too: a finished video would be taken for a new one (R23).
 */
export function ensureHome(home: Home): void {
  for (const folder of [home.input, home.output, home.logs, home.models, home.jobsDir]) {
    try {
      makeFolder(folder);
    } catch (error) {
      throw new ConfigurationError(
        `The folder ${folder} cannot be made; choose another home with --home.`,
        [],
        { cause: error },
      );
    }
  }
  const fault = whyNotFolders(home);
  if (fault !== null) throw new ConfigurationError(fault, [fault]);
}

/** Why these input and output folders cannot be used together, or null. */
export function whyNotFolders({ input, output }: Pick<Home, 'input' | 'output'>): string | null {
  const [realInput, realOutput] = [realPath(input), realPath(output)];
  if (!contains(realInput, realOutput) && !contains(realOutput, realInput)) return null;
  return `The input folder ${input} and the output folder ${output} overlap; finished videos would be taken for new ones.`;
}

/** Why a finished video may not be put there: over its own source, or where it would be taken for a new one (R18, R23). */
export function whyNotOutput(
  home: Pick<Home, 'input'>,
  sourcePath: string,
  outputPath: string,
): string | null {
  const output = realPath(outputPath);
  if (output === realPath(sourcePath)) return `The finished video would replace its source ${sourcePath}.`;
  if (!contains(realPath(home.input), output)) return null;
  return `The finished video would be put into the input folder ${home.input} and taken for a new one.`;
}

/** The real path of what exists of `path`. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent), path.slice(parent.length));
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way !== '..' && !way.startsWith('../');
}
