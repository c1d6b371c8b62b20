/** The reason why a request is answered with an HTTP status instead of what was asked for. */
export class HttpError extends Error {
  readonly statusCode: number;
  /** Stable, for programs. */
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}
