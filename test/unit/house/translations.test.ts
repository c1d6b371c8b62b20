import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/* The Korean pages have the structure of the English ones. A new section, row or example needs its counterpart in docs/ko/. */
const docs = join(import.meta.dirname, '../../../docs');

/** What does not depend on the language: levels of headings, rows of tables with the code in their first cell, and examples. */
function structureOf(page: string): string[] {
  return readFileSync(join(docs, page), 'utf8')
    .split(/^(```[\s\S]*?^```)$/m)
    .flatMap((part) => (part.startsWith('```') ? [part] : part.split('\n').flatMap(lineOf)));
}

function lineOf(line: string): string[] {
  const level = /^(#+) /.exec(line)?.[1];
  if (level !== undefined) return [level];
  if (/^(?:- |\d\. )/.test(line)) return ['item'];
  if (!line.startsWith('| ')) return [];
  const [, first = '', ...others] = line.split('|');
  const code = [...first.matchAll(/`[^`]+`/g)].map(([each]) => each);
  return [`row of ${others.length - 1} ${code.join(' ')}`];
}

it.each(['guide.md', 'quick-start.md'])('docs/ko/%s has each section of the English page', (page) => {
  const english = structureOf(page);
  expect(english.filter((each) => each === '##').length).toBeGreaterThan(3);
  expect(structureOf(join('ko', page))).toEqual(english);
});
