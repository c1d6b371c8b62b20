import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programRoot } from '../config/home.ts';
import { ConfigurationError } from '../domain/errors.ts';

export interface ServicePlace {
  /** Absolute path of the home. */
  readonly homeRoot: string;
  /** Absolute path of Node. */
  readonly node: string;
  /** Where the service finds ffmpeg and other programs. */
  readonly path: string;
}

/**
 * The unit file of the service, from `packaging/framekiln.service`.
 *
 * @throws ConfigurationError if a path contains a line break, which a unit file cannot contain
 */
export function serviceUnit({ homeRoot, node, path }: ServicePlace): string {
  if (/[\r\n]/.test(homeRoot + node + path))
    throw new ConfigurationError(`A service cannot use a path with a line break: ${homeRoot}.`, []);
  const template = readFileSync(join(programRoot, 'packaging/framekiln.service'), 'utf8');
  const command = [node, join(programRoot, 'dist/main.js'), 'start', '--home', homeRoot];
  const lines: Readonly<Record<string, string>> = {
    WorkingDirectory: homeRoot.replaceAll('%', '%%'),
    ExecStart: `${command.map((word) => quoted(word)).join(' ')}\nEnvironment=${quoted(`PATH=${path}`, false)}`,
  };
  return (
    `# Written by \`framekiln service install\`; running that command again overwrites any changes.\n` +
    template
      .slice(template.indexOf('[Unit]'))
      .replaceAll(/^(WorkingDirectory|ExecStart)=.*$/gm, (_, key: string) => `${key}=${lines[key] ?? ''}`)
  );
}

/** The home that a unit file is for; null if it names none. */
export function homeOfUnit(text: string): string | null {
  return /^WorkingDirectory=(.*)$/m.exec(text)?.[1]?.replaceAll('%%', '%') ?? null;
}

/** One word of a line in a unit file. @param isArgument whether systemd replaces variables in it */
function quoted(text: string, isArgument = true): string {
  const escaped = text.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%');
  return `"${isArgument ? escaped.replaceAll('$', '$$$$') : escaped}"`;
}
