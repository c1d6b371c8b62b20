/**
 * Counts tests and checks. Three more things count as one failure each, so that no failed run looks green: a test file
 * that fails before its first test, a run that fails although every test passed, and a run without a report.
 *
 * @param {object} run
 * @param {any} run.report vitest's JSON report; null where there is none
 * @param {boolean} run.testsPassed whether the test run ended with exit code 0
 * @param {{ name: string, passed: boolean }[]} run.checks
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countResults({ report, testsPassed, checks }) {
  const broken = (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const testsFailed = (report?.numFailedTests ?? 0) + broken.length;
  const unexplained = (testsPassed && report !== null) || testsFailed > 0 ? 0 : 1;
  return {
    passed: (report?.numPassedTests ?? 0) + checks.filter((check) => check.passed).length,
    failed: testsFailed + unexplained + checks.filter((check) => !check.passed).length,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}
