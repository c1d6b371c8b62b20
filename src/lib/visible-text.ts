const INVISIBLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const SHORT_FORMS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Escapes control characters, line separators, direction marks and lone surrogates (`\n`, `\u{1b}`), so that a hostile
 * file name can neither break a log line nor control a terminal.
 */
export function visibleText(text: string): string {
  return text.replace(
    INVISIBLE,
    (character) => SHORT_FORMS[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
