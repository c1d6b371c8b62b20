/**
 * Builds an ffmpeg expression of `N` that evaluates to `values[N]`. It passes exact timestamps to ffmpeg, whose filters
 * and bitstream filters accept expressions but no lists.
 *
 * The expression is a binary tree of `if(lt(N,k),…)` whose leaves are runs of equal steps: constant frame rate needs one
 * leaf, and 60 arbitrary values need about six levels.
 */
export function tableExpression(values: readonly number[]): string {
  const runs: { from: number; base: number; step: number }[] = [];
  for (let from = 0; from < values.length;) {
    const base = values[from] ?? 0;
    const step = (values[from + 1] ?? base) - base;
    let end = from + 1;
    while (end < values.length && values[end] === base + (end - from) * step) end++;
    runs.push({ from, base, step });
    from = end;
  }
  const leaf = ({ from, base, step }: { from: number; base: number; step: number }): string =>
    step === 0 ? `${base}` : `${base}+(N-${from})*${step}`;
  const tree = (low: number, high: number): string => {
    const only = runs[low];
    if (only === undefined) return '0';
    if (high - low === 1) return leaf(only);
    const middle = (low + high) >> 1;
    return `if(lt(N,${runs[middle]?.from ?? 0}),${tree(low, middle)},${tree(middle, high)})`;
  };
  return tree(0, runs.length);
}
