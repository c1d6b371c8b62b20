/** A reason to stop that a person can act on: its message is one sentence, shown without a stack. */
export class SetupError extends Error {}

/**
 * Runs one step of the set-up and says so in one line with the time it took.
 *
 * @template T
 * @param {string} title what is being done, such as `Building`
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function reportStep(title, action) {
  const startedAt = Date.now();
  process.stdout.write(`${title} … `);
  try {
    const result = await action();
    process.stdout.write(`done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stdout.write('failed\n');
    throw error;
  }
}
