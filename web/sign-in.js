import { signIn } from './api.js';
import { html } from './html.js';
import { useState } from './preact-hooks.js';
import { connect } from './state.js';

/** Asks for the token, which another machine or another user needs. */
export function SignIn() {
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const given = new FormData(event.target).get('token').trim();
    try {
      await signIn(given.split('#token=').at(-1));
      await connect();
    } catch (fault) {
      setError(fault);
    }
  };
  return html`<form class="sign-in card" onSubmit=${submit}>
    <h1>Framekiln</h1>
    <p>
      This page needs its token. On the machine where Framekiln runs, <code>framekiln page</code> prints it.
    </p>
    <label>Token <input name="token" type="password" autocomplete="current-password" required /></label>
    ${error !== null && html`<p class="bad" role="alert">${error.message}</p>`}
    <button class="primary">Open</button>
  </form>`;
}
