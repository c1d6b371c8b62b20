import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programRoot } from './home.ts';

/** The version of this program, such as `0.1.0`. */
export function programVersion(): string {
  const { version } = JSON.parse(readFileSync(join(programRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
