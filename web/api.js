// Requests to the daemon. Addresses are relative, so that the page also works below a path of a reverse proxy.
import { signal } from './signals.js';

/** The token for changes; null while nobody has signed in. */
export const token = signal(null);
/** Whether the daemon has answered that the token is needed. */
export const needsToken = signal(false);

/** An answer with an error, or none at all (status 0). */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** After sleep, a browser may send a request on a connection that is dead, and would wait for minutes. */
const ANSWER_WITHIN_MS = 15_000;
const CONNECT_WITHIN_MS = 4_000;
/** Browsers refuse larger requests that are to outlive the page. */
const MOST_KEPT_ALIVE = 60_000;

/** @returns the answer as an object @throws ApiError */
export async function get(path, withinMs = ANSWER_WITHIN_MS) {
  return answerOf(await call(path, { signal: AbortSignal.timeout(withinMs) }));
}

/** Sends a change. @throws ApiError */
export async function post(path, body) {
  const headers = { authorization: `Bearer ${token.value ?? ''}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const text = body === undefined ? undefined : JSON.stringify(body);
  const keepalive = (text?.length ?? 0) < MOST_KEPT_ALIVE;
  const init = { method: 'POST', headers, keepalive, ...(text === undefined ? {} : { body: text }) };
  return answerOf(await call(path, init));
}

/** Asks for the token for changes. @returns whether this browser may read */
export async function openSession() {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    history.replaceState(null, '', location.pathname + location.search);
    try {
      await signIn(given);
      return true;
    } catch (error) {
      if (error.status === 0) throw error;
    }
  }
  token.value = (await get('api/session', CONNECT_WITHIN_MS)).token;
  needsToken.value = token.value === null;
  return token.value !== null;
}

/** Signs in with a token. @throws ApiError if it is wrong */
export async function signIn(given) {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: given }),
  };
  token.value = (await answerOf(await call('api/session', init))).token;
  needsToken.value = false;
}

async function call(path, init) {
  try {
    return await fetch(path, { ...init, credentials: 'same-origin' });
  } catch {
    throw new ApiError(0, 'NO_DAEMON', 'The daemon does not answer.');
  }
}

async function answerOf(response) {
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && token.value !== null) {
    // The token was changed while the page was open.
    token.value = null;
    needsToken.value = true;
  }
  const { code = 'INTERNAL', message = `The daemon answered with status ${response.status}.` } =
    answer.error ?? {};
  throw new ApiError(response.status, code, message);
}
