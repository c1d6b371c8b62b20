const COUNT = 10;

/**
 * @param {{ name: string, ms: number }[]} files
 * @returns {string[]} the lines of the list, the slowest file first
 */
export function slowestFiles(files) {
  const slowest = files.toSorted((a, b) => b.ms - a.ms).slice(0, COUNT);
  const totalMs = files.reduce((sum, { ms }) => sum + ms, 0);
  return [
    `Slowest ${slowest.length} of ${files.length} test files (${seconds(totalMs)} s in all files):`,
    ...slowest.map(({ name, ms }) => `${seconds(ms).padStart(8)} s  ${name}`),
  ];
}

/** A vitest reporter that prints the slowest test files when the run is over. */
export default class SlowestFilesReporter {
  /** @param {readonly import('vitest/node').TestModule[]} modules */
  onTestRunEnd(modules) {
    const files = modules.map((each) => ({ name: each.relativeModuleId, ms: each.diagnostic().duration }));
    console.log(['', ...slowestFiles(files)].join('\n'));
  }
}

function seconds(ms) {
  return (ms / 1000).toFixed(1);
}
