import { post } from './api.js';

/**
 * Changes settings in framekiln.yaml, all or none.
 *
 * @param changes `{ key, value }`; the value null removes the setting from the file
 * @returns `{ sentences, previous }`: what happened, and the changes that undo it
 */
export function changeSettings(changes) {
  return post('api/settings', { changes });
}
