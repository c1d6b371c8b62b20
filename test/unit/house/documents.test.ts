import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

it.each(['docs/architecture.md', 'CONTRIBUTING.md', 'docs/guide.md', 'README.md'])(
  '%s names only paths that exist',
  (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const names = [
      ...text.matchAll(/`((?:src|test|scripts|bench|native-cuda|native-cpu|packaging|docs)\/[\w./-]*)`/g),
    ];
    const paths = names.map(([, path = '']) => path);
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = '']) =>
      join(dirname(page), target),
    );
    expect([...paths, ...links].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  },
);

/** The names that GitHub gives to the headings of a page. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\s-]/gu, '')
      .replace(/ /g, '-'),
  );
}

it('links to headings lead to headings that exist', () => {
  const links = documents.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)].map(
      ([, target = '', anchor = '']) => ({
        anchor,
        path: target === '' ? page : join(dirname(page), target),
      }),
    ),
  );
  expect(links.length).toBeGreaterThan(5);
  const isBroken = ({ path, anchor }: (typeof links)[number]) =>
    !anchorsOf(readFileSync(join(root, path), 'utf8')).includes(anchor);
  expect(links.filter(isBroken)).toEqual([]);
});

it('docs/troubleshooting.md quotes only messages that the program has', () => {
  const text = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
  const quotes = [...text.matchAll(/^- \*\*`([^`]+)`\*\*/gm)].flatMap(([, quote = '']) => quote.split('…'));
  const fragments = quotes.map((quote) => quote.trim()).filter((quote) => quote !== '');
  expect(fragments.length).toBeGreaterThan(2);
  const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, 'src', name), 'utf8'));
  expect(fragments.filter((fragment) => !sources.some((source) => source.includes(fragment)))).toEqual([]);
});
