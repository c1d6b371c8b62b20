import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../http-error.ts';
import { isAllowedHost, isLoopbackHost } from './host-names.ts';
import { isOwnConnection } from './own-connection.ts';
import { isSameToken } from './token.ts';
import { WrongTokens } from './wrong-tokens.ts';

export interface GuardOptions {
  readonly token: string;
  /** Further host names under which the page may be opened. */
  readonly names: () => readonly string[];
  readonly now: () => number;
}

/** Headers with which a proxy says that it passes on the request of someone else. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** What anyone may see: the program of the page, which holds nothing of this home, and whether the daemon lives. */
const PUBLIC = /^\/(?:(?:assets\/[\w.-]+)?|healthz|readyz|api\/openapi\.json)$/;

/**
 * Decides who may do what:
 *
 * - The Host header must be allowed, else 421: a web site must not reach the page by a name of its own (DNS rebinding).
 * - Reading needs the token (as cookie or bearer), or a connection of the same user on this machine, else 401.
 * - A change needs the token in a header, which no other web site can set, else 401, and no foreign Origin, else 403.
 * - After ten wrong tokens within a minute, 429.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #wrong = new WrongTokens();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Checks a request. @throws HttpError unless it is allowed */
  async check(request: FastifyRequest): Promise<void> {
    const names = this.#options.names();
    if (!isAllowedHost(request.headers.host, names))
      throw new HttpError(
        421,
        'HOST_NOT_ALLOWED',
        'The page may not be opened under this host name; add the name to page.names in framekiln.yaml.',
      );
    const isChange = !['GET', 'HEAD'].includes(request.method);
    if (isChange && isForeign(request, names))
      throw new HttpError(
        403,
        'FOREIGN_ORIGIN',
        'This request comes from another site. If that site is this page behind a proxy, add its host name to page.names in framekiln.yaml.',
      );
    const path = request.url.split('?', 1)[0] ?? '';
    // A sign-in checks the token that it brings itself.
    if (path === '/api/session' || (!isChange && PUBLIC.test(path))) return;
    if (this.#hasToken(request, isChange) || (!isChange && (await this.isTrusted(request)))) return;
    throw new HttpError(
      401,
      'TOKEN_NEEDED',
      'This needs the token of the page; to print the address with the token: framekiln page',
    );
  }

  /** Whether the request may read: it carries the token, or comes from the same user on this machine. */
  async mayRead(request: FastifyRequest): Promise<boolean> {
    return this.#hasToken(request, false) || (await this.isTrusted(request));
  }

  /** Whether a program of the same user on this machine sent the request, not a proxy for someone else. */
  async isTrusted({ headers, raw }: FastifyRequest): Promise<boolean> {
    if (!isLoopbackHost(headers.host) || PROXY_HEADERS.some((name) => headers[name] !== undefined))
      return false;
    return isOwnConnection(raw.socket);
  }

  /** @param isChange whether only a header counts, because browsers add cookies to requests of any site */
  #hasToken(request: FastifyRequest, isChange: boolean): boolean {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const given = bearer ?? (isChange ? undefined : cookieOf(request));
    return given !== undefined && this.isRight(request, given);
  }

  /** Whether this is the token. Wrong ones are counted. @throws HttpError 429 after too many wrong tokens */
  isRight(request: FastifyRequest, given: string): boolean {
    const { token, now } = this.#options;
    const waitSeconds = this.#wrong.waitSeconds(request.ip, now());
    if (waitSeconds > 0)
      throw new HttpError(
        429,
        'TOO_MANY_WRONG_TOKENS',
        `Too many wrong tokens from this address; wait ${waitSeconds} s.`,
      );
    if (isSameToken(given, token)) return true;
    this.#wrong.count(request.ip, now());
    return false;
  }

  /** Lets the browser that sent this request read from now on. Without a path, the cookie also works behind a proxy. */
  remember(request: FastifyRequest, reply: FastifyReply): void {
    const cookie = `${cookieName(request)}=${this.#options.token}; HttpOnly; SameSite=Strict; Max-Age=31536000`;
    void reply.header('set-cookie', cookie);
  }
}

/** Whether a browser says that a request comes from another web site. Other programs send no Origin. */
function isForeign({ headers }: FastifyRequest, names: readonly string[]): boolean {
  const { host = '', origin } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  const from = URL.canParse(origin) ? new URL(origin) : null;
  // A proxy may pass on another Host than the browser has sent.
  return from === null || (from.host !== host.toLowerCase() && !names.includes(from.hostname));
}

/** Cookies do not distinguish ports, and several homes may have a page on this machine. */
function cookieName({ raw }: FastifyRequest): string {
  return `framekiln-${raw.socket.localPort ?? 0}`;
}

function cookieOf(request: FastifyRequest): string | undefined {
  const name = cookieName(request);
  return request.headers.cookie
    ?.split('; ')
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}
