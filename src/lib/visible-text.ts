const INVISIBLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const SHORT_FORMS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * The text with every control character, line separator, direction mark and lone surrogate written out (`\n`,
 * `\u{1b}`), so that a hostile file name can neither break a line nor steer a terminal.
 */
export function visibleText(text: string): string {
  return text.replace(
    INVISIBLE,
    (character) => SHORT_FORMS[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
