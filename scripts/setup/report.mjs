/** An error that a person can act on. Its message is one sentence, printed without a stack trace. */
export class SetupError extends Error {}

/**
 * Runs one step of the set-up and prints its title and the time it took in one line.
 *
 * @template T
 * @param {string} title what the step does, such as `Building`
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
