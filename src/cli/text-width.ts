import stringWidth from 'string-width';

/** Columns of a terminal that a text takes: a Korean or Chinese character takes two. */
export function textWidth(text: string): number {
  // Most texts are ASCII, and string-width takes a hundred times as long.
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text);
}
