/** The message of an error without its full stop, for a log line that goes on after it. */
export function withoutFullStop(message: string): string {
  return message.replace(/\.$/, '');
}
