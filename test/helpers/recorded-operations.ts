import { execFileSync, spawnSync } from 'node:child_process';
import { straceCalls } from './strace-calls.ts';

/** A file operation of a program, with absolute paths. Operations are in the order in which the calls returned. */
export type Operation =
  | { readonly kind: 'create' | 'truncate-open'; readonly path: string }
  /** `offset` is NaN for appended data. */
  | { readonly kind: 'write'; readonly path: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'resize'; readonly path: string; readonly size: number }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'unlink' | 'mkdir' | 'rmdir' | 'sync'; readonly path: string };

const CALLS =
  'openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,' +
  'rmdir,ftruncate,truncate,fsync,fdatasync,lseek,copy_file_range,sendfile,fallocate,link,linkat,symlink,symlinkat';

/** Why system calls cannot be recorded on this machine, or null. */
export function whyNoRecording(): string | null {
  const { status } = spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']);
  return status === 0 ? null : 'strace is not installed or not permitted';
}

/** Runs a program under strace, which writes all file operations of the program to `log`. */
export function runRecorded(
  log: string,
  command: readonly string[],
  environment: Record<string, string>,
): void {
  // io_uring would hide file operations from strace.
  execFileSync(
    'strace',
    ['-f', '--seccomp-bpf', '-y', '-xx', '-s', '1000000000', '-o', log, '-e', `trace=${CALLS}`, ...command],
    {
      env: { ...process.env, ...environment, UV_USE_IO_URING: '0' },
      stdio: 'ignore',
    },
  );
}

/** Reads the operations on watched paths from a log. Throws for a call that is not modelled. */
export async function readOperations(
  log: string,
  isWatched: (path: string) => boolean,
): Promise<Operation[]> {
  const operations: Operation[] = [];
  const offsets = new Map<string, number>();
  for await (const text of straceCalls(log)) {
    const call = parseCall(text);
    // Failed calls, and calls on standard input and output, change no file.
    if (call === null || !call.paths.some(isWatched)) continue;
    operations.push(...toOperations(call, offsets));
  }
  return operations;
}

interface Call {
  readonly name: string;
  readonly fd: string;
  readonly paths: readonly string[];
  readonly data: Buffer;
  readonly rest: string;
  readonly result: number;
}

/** Parses a line such as `pwrite64(19<path>, "data", 10, 32) = 10`; null for a failed call, and for any other line. */
function parseCall(text: string): Call | null {
  const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? [];
  if (name === '' || result.startsWith('-')) return null;
  const [, fd = '', fdPath = ''] = /^(\w+)<([^>]*)>/.exec(args) ?? [];
  const strings = [...args.matchAll(/"([^"]*)"/g)].map(([, hex = '']) => fromHex(hex));
  const rest = args.replace(/^\w+<[^>]*>/, '').replaceAll(/"[^"]*"/g, '""');
  const isData = /write/.test(name);
  const named = isData ? [] : strings.map((each) => each.toString());
  const opened = name === 'openat' || name === 'open' || name === 'creat' ? [] : [fromHex(fdPath).toString()];
  return {
    name,
    fd,
    paths: [...opened.filter((path) => path.startsWith('/') && fd !== 'AT_FDCWD'), ...named],
    data: isData ? Buffer.concat(strings) : Buffer.alloc(0),
    rest,
    result: Number(result),
  };
}

function fromHex(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex');
}

function* toOperations(
  { name, fd, paths, data, rest, result }: Call,
  offsets: Map<string, number>,
): Generator<Operation> {
  const [path = '', to = ''] = paths;
  const numbers = rest.split(',').map((each) => Number.parseInt(each));
  const place = `${fd} ${path}`;
  switch (name) {
    case 'open':
    case 'openat':
    case 'creat':
      offsets.set(`${result} ${path}`, 0);
      if (/O_CREAT/.test(rest)) yield { kind: 'create', path };
      if (/O_TRUNC/.test(rest)) yield { kind: 'truncate-open', path };
      // The end of the file is not known here.
      if (/O_APPEND/.test(rest)) offsets.set(`${result} ${path}`, NaN);
      return;
    case 'write': {
      const offset = offsets.get(place) ?? 0;
      offsets.set(place, offset + result);
      yield { kind: 'write', path, offset, bytes: data.subarray(0, result) };
      return;
    }
    case 'pwrite64':
      yield { kind: 'write', path, offset: numbers.at(-1) ?? 0, bytes: data.subarray(0, result) };
      return;
    case 'lseek':
      offsets.set(place, result);
      return;
    case 'ftruncate':
      yield { kind: 'resize', path, size: numbers.at(-1) ?? 0 };
      return;
    case 'rename':
    case 'renameat2':
      yield { kind: 'rename', path, to };
      return;
    case 'link':
    case 'linkat':
      yield { kind: 'link', path, to };
      return;
    case 'unlink':
    case 'mkdir':
    case 'rmdir':
      yield { kind: name, path };
      return;
    case 'unlinkat':
      yield { kind: rest.includes('AT_REMOVEDIR') ? 'rmdir' : 'unlink', path };
      return;
    case 'mkdirat':
      yield { kind: 'mkdir', path };
      return;
    case 'fsync':
    case 'fdatasync':
      yield { kind: 'sync', path };
      return;
    default:
      throw new Error(`${name} on ${path} is not modelled`);
  }
}
