import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/** The relative paths that a file imports or re-exports, whether values or types, including `import('./x.ts')`. */
const IMPORTS =
  /(?:^|[\s;])(?:import|export)\b[^'"`;]*?\bfrom\s*['"](\.[^'"]+)|\bimport\s*\(?\s*['"](\.[^'"]+)/g;

/** By path. Files do not change during one run of ESLint, apart from the one that is linted. */
const importsOf = new Map();

function importedFiles(file) {
  let targets = importsOf.get(file);
  if (targets === undefined) {
    targets = [];
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      // A file that does not exist is TypeScript's error.
    }
    for (const [, from, bare] of text.matchAll(IMPORTS)) targets.push(resolve(dirname(file), from ?? bare));
    importsOf.set(file, targets);
  }
  return targets;
}

/** The files on the path from `start` to `goal`, both included; null if no import leads there. */
function findWay(start, goal) {
  const cameFrom = new Map([[start, null]]);
  for (const file of cameFrom.keys()) {
    if (file === goal) {
      const way = [];
      for (let step = file; step !== null; step = cameFrom.get(step)) way.unshift(step);
      return way;
    }
    for (const next of importedFiles(file)) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return null;
}

/** Forbids import cycles, including those that consist of `import type` alone. */
export const noImportCycle = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { cycle: 'Import cycle: {{ way }}. Move what both files need into a third one.' },
  },
  create(context) {
    const file = context.filename;
    function check(node) {
      const source = node.source?.value;
      if (typeof source !== 'string' || !source.startsWith('.')) return;
      const way = findWay(resolve(dirname(file), source), file);
      if (way === null) return;
      const names = [file, ...way].map((each) => relative(context.cwd, each)).join(' → ');
      context.report({ node, messageId: 'cycle', data: { way: names } });
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};
