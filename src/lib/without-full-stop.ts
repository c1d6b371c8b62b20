/** The message of an error without its full stop, so that a log line can continue after it. */
export function withoutFullStop(message: string): string {
  return message.replace(/\.$/, '');
}
