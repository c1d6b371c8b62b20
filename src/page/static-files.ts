import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { programRoot } from '../config/home.ts';

/** Libraries of the page, with the name that the page gives to each. */
const LIBRARIES: readonly [name: string, module: string][] = [
  ['preact.js', 'preact'],
  ['preact-hooks.js', 'preact/hooks'],
  ['signals-core.js', '@preact/signals-core'],
  ['signals.js', '@preact/signals'],
  ['htm.js', 'htm'],
  ['uplot.js', 'uplot/dist/uPlot.iife.min.js'],
  ['uplot.css', 'uplot/dist/uPlot.min.css'],
];

/** A browser without a bundler cannot resolve names of packages, and an import map would be an inline script. */
const IMPORTS: Readonly<Record<string, string>> = {
  preact: './preact.js',
  'preact/hooks': './preact-hooks.js',
  '@preact/signals-core': './signals-core.js',
};

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

interface StaticFile {
  readonly bytes: Buffer;
  readonly zipped: Buffer;
  readonly type: string;
  readonly tag: string;
}

/**
 * Serves the program of the page: `web/` and its libraries, all read into memory at the start. A request only selects one of
 * these names, so it cannot reach another file.
 */
export async function addStaticFiles(app: FastifyInstance): Promise<void> {
  const files = await readFiles();
  for (const [name, file] of files)
    app.get(name === 'index.html' ? '/' : `/assets/${name}`, (request, reply) => send(file, request, reply));
}

/** All files of the page by name. */
export async function readFiles(): Promise<Map<string, StaticFile>> {
  const folder = join(programRoot, 'web');
  const names = (await readdir(folder)).filter((name) => extension(name) in TYPES);
  const own = names.map(
    async (name) => [name, await prepare(name, await readFile(join(folder, name)))] as const,
  );
  const libraries = LIBRARIES.map(async ([name, module]) => {
    // npm puts the libraries next to Framekiln where Framekiln itself is a package.
    const text = await readFile(new URL(import.meta.resolve(module)), 'utf8');
    return [name, await prepare(name, Buffer.from(withLocalImports(text)))] as const;
  });
  return new Map(await Promise.all([...own, ...libraries]));
}

function withLocalImports(text: string): string {
  return text
    .replaceAll(/\bfrom\s*"([^"./][^"]*)"/g, (whole, name: string) => {
      const local = IMPORTS[name];
      return local === undefined ? whole : `from"${local}"`;
    })
    .replace(/\/\/# sourceMappingURL=.*$/m, '');
}

function extension(name: string): string {
  return extname(name).slice(1);
}

async function prepare(name: string, bytes: Buffer): Promise<StaticFile> {
  const tag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`;
  const type = TYPES[extension(name)] ?? 'application/octet-stream';
  return { bytes, zipped: await promisify(gzip)(bytes, { level: 9 }), type, tag };
}

function send(file: StaticFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Checked at each load, so that an update of Framekiln never mixes with files of an older version.
  void reply.headers({
    'content-type': file.type,
    etag: file.tag,
    'cache-control': 'no-cache',
    vary: 'accept-encoding',
  });
  if (request.headers['if-none-match'] === file.tag) return reply.code(304).send();
  const zips = /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  return zips ? reply.header('content-encoding', 'gzip').send(file.zipped) : reply.send(file.bytes);
}
