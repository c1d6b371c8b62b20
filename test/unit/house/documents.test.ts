import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const documents = [
  ...readdirSync(root),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path)),
].filter((path) => /^(docs\/.*|[A-Z]+)\.md$/.test(path));

it('no page holds what git wrote about a conflict; the formatter takes that for quotations', () => {
  expect(documents).toContain('docs/guide.md');
  const marker = /^(<{7}|={7}|>{7}|(> ){7})/m;
  expect(documents.filter((path) => marker.test(readFileSync(join(root, path), 'utf8')))).toEqual([]);
});
