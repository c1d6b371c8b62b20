import { accessSync, constants, existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { codeOf, ConfigurationError, HomeNotWritableError } from '../domain/errors.ts';
import { shownName } from '../lib/byte-name.ts';
import { asUser } from '../lib/user-umask.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { homeFromEnvironment } from './environment.ts';

/** The folder that contains all files of one Framekiln installation. All paths are absolute. */
export interface Home {
  readonly root: string;
  readonly input: string;
  readonly output: string;
  readonly logs: string;
  readonly models: string;
  /** `.framekiln/`: internal files. */
  readonly stateDir: string;
  readonly databaseFile: string;
  /** Locked while a daemon runs on this home. */
  readonly lockFile: string;
  /** Contains a folder per job. */
  readonly jobsDir: string;
  /** Contains the speeches that arrive on standard input (see workspace/received-speech.ts). */
  readonly speechDir: string;
  /** Contains a media report per finished job. */
  readonly reportsDir: string;
  /** Settings written by the user. */
  readonly configFile: string;
  /** The last content of `configFile` without faults, which applies while it has some. */
  readonly validConfigFile: string;
  /** Settings that the probe chose for this machine. */
  readonly detectedFile: string;
  /** Results of the hardware probe. */
  readonly probeFile: string;
  /** How fast models run on this machine, as measured. */
  readonly speedsFile: string;
  /** What `framekiln bench precision` has measured. */
  readonly precisionsFile: string;
}

/** A home with its ID from the database: the daemon, `framekiln run` and the worker know it, other commands do not. */
export interface IdentifiedHome extends Home {
  /** 16 random hex digits. Every temporary file and folder that Framekiln creates where homes may share a folder carries it in its name. */
  readonly id: string;
}

/** Folder of the program, with `package.json` and `models/manifest.json`; the same for src/ and dist/. */
export const programRoot = resolve(import.meta.dirname, '../..');

/** Folders that are searched for models, in order: that of the home, then that of the program. */
export function modelFolders({ models }: Pick<Home, 'models'>): string[] {
  return [...new Set([models, join(programRoot, 'models')])];
}

/** Chooses the home: `--home`, else `FRAMEKILN_HOME`, else the default home. */
export function resolveHome({ flag, cwd }: { readonly flag: string | null; readonly cwd: string }): Home {
  return homeAt(realPath(resolve(cwd, flag ?? homeFromEnvironment() ?? defaultHome(programRoot))));
}

/**
 * The folder of the program, or `~/framekiln` if npm installed the program: npm deletes the program's folder, with everything
 * in it, when it updates a package.
 */
export function defaultHome(root: string): string {
  return root.split(sep).includes('node_modules') ? join(homedir(), 'framekiln') : root;
}

/** The paths in a home. @param root absolute path of the home */
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
    speechDir: join(stateDir, 'speech'),
    reportsDir: join(stateDir, 'reports'),
    configFile: join(root, 'framekiln.yaml'),
    validConfigFile: join(stateDir, 'last-valid-settings.yaml'),
    detectedFile: join(stateDir, 'detected.yaml'),
    probeFile: join(stateDir, 'probe.json'),
    speedsFile: join(stateDir, 'speeds.json'),
    precisionsFile: join(stateDir, 'precisions.json'),
  };
}

/**
 * Creates missing folders of the home.
 *
 * @throws ConfigurationError if a folder cannot be created, or if `input/` and `output/` overlap, even through
 *   symbolic links: finished videos could then be processed again (promise 23 in docs/promises.md).
 */
export function ensureHome(home: Home): void {
  // Checked first, because names in a private folder of another user cannot even be looked up.
  assertWritable([home.stateDir]);
  const folders = [home.input, home.output, home.models, home.logs, home.jobsDir];
  for (const folder of folders) {
    // A link may lead to a disk that is not mounted; jobs wait for it.
    if (isLink(folder)) continue;
    const isPrivate = folder === home.logs || folder === home.jobsDir;
    try {
      if (isPrivate) makeFolder(folder);
      else asUser(() => makeFolder(folder));
    } catch (error) {
      if (codeOf(error) === 'EROFS') throw readOnly(folder, error);
      throw new ConfigurationError(
        `Cannot create the folder ${folder} (${codeOf(error)}); choose another home with --home.`,
        [],
        { cause: error },
      );
    }
  }
  assertWritable(stateFiles(home));
  const fault = whyNotFolders(home);
  if (fault !== null) throw new ConfigurationError(fault, [fault]);
}

/** Files that every command must be able to write, even `status`, because SQLite needs its write-ahead log. */
function stateFiles({ stateDir, jobsDir, databaseFile, lockFile }: Home): string[] {
  return [stateDir, jobsDir, databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`, lockFile];
}

/** Checks the files that exist. @throws HomeNotWritableError if this user cannot write to one of them */
function assertWritable(paths: readonly string[]): void {
  for (const path of paths.filter((each) => existsSync(each))) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch (error) {
      if (codeOf(error) === 'EROFS') throw readOnly(path, error);
      throw new HomeNotWritableError(
        `This user cannot write to ${path}; run Framekiln as the user who owns it, or change its owner with chown.`,
        { cause: error },
      );
    }
  }
}

function readOnly(path: string, cause: unknown): HomeNotWritableError {
  return new HomeNotWritableError(
    `${path} is on a read-only file system; mount it with write permission, or choose another home with --home.`,
    { cause },
  );
}

/** Why these input and output folders cannot be used together, or null. */
export function whyNotFolders({ input, output }: Pick<Home, 'input' | 'output'>): string | null {
  const [realInput, realOutput] = [realPath(input), realPath(output)];
  if (!contains(realInput, realOutput) && !contains(realOutput, realInput)) return null;
  return `The input folder ${input} and the output folder ${output} overlap, so finished videos could be processed again; use two separate folders.`;
}

/**
 * Why a finished video must not be written to this path, or null: it would replace its source or land in the input folder
 * (promises 18 and 23 in docs/promises.md).
 */
export function whyNotOutput(
  home: Pick<Home, 'input'>,
  sourcePath: string,
  outputPath: string,
): string | null {
  const output = realPath(outputPath);
  if (output === realPath(sourcePath))
    return `The finished video would replace its source ${sourcePath}; choose another output folder.`;
  if (!contains(realPath(home.input), output)) return null;
  return `The finished video would be written to the input folder ${home.input} and processed again; choose another output folder.`;
}

/** The longest chain of links that Linux follows. */
const MAX_LINKS = 40;

/** Resolves symbolic links, also those whose target does not exist. */
export function realPath(path: string, linksLeft = MAX_LINKS): string {
  // A link to a name that is not valid UTF-8 leads to a path that is no string.
  if (existsSync(path)) return shownName(realpathSync.native(path, { encoding: 'buffer' }));
  if (linksLeft > 0 && isLink(path))
    return realPath(resolve(dirname(path), readlinkSync(path)), linksLeft - 1);
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent, linksLeft), path.slice(parent.length));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Whether `inner` is the folder `outer` or is inside it, judging by the paths alone. */
export function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way !== '..' && !way.startsWith('../');
}
