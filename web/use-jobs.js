import { get } from './api.js';
import { useEffect, useState } from './preact-hooks.js';
import { revision } from './state.js';

/**
 * Reads a part of the list of jobs, and again whenever it may have changed.
 *
 * @returns `{ jobs, total, error }`; `jobs` is null before the first answer
 */
export function useJobs({ list, state, pipeline, text = '', offset = 0, limit = 50 }) {
  const [answer, setAnswer] = useState({ jobs: null, total: 0, error: null, offset });
  const changed = revision.value;
  useEffect(() => {
    let isCurrent = true;
    const query = new URLSearchParams({ list, text, offset, limit });
    if (state !== undefined && state !== '') query.set('state', state);
    if (pipeline !== undefined) query.set('pipeline', pipeline);
    get(`api/jobs?${query}`).then(
      ({ jobs, total }) => isCurrent && setAnswer({ jobs, total, error: null, offset }),
      (error) => isCurrent && setAnswer((old) => ({ ...old, error })),
    );
    return () => {
      isCurrent = false;
    };
  }, [list, state, pipeline, text, offset, limit, changed]);
  return answer;
}
