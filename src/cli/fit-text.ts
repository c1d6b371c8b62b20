import { textWidth } from './text-width.ts';

const segmenter = new Intl.Segmenter();

/** Shortens a text to the columns of a terminal, with … in its middle: both ends of a path tell files apart. */
export function shorten(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  const parts = [...segmenter.segment(text)].map(({ segment }) => segment);
  const room = Math.max(0, columns - 1);
  const head = takeColumns(parts, Math.floor(room / 2));
  const tail = takeColumns(parts.toReversed(), room - textWidth(head.join(''))).toReversed();
  return `${head.join('')}…${tail.join('')}`;
}

/** Breaks a text at spaces into lines of at most so many columns; a longer word gets a line of its own. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(`${line} ${word}`) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The first characters that fit. */
function takeColumns(parts: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let left = columns;
  for (const part of parts) {
    left -= textWidth(part);
    if (left < 0) break;
    taken.push(part);
  }
  return taken;
}
