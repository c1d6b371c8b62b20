/**
 * A figure for a table; a dash where a short measurement has none.
 *
 * @param {number | null | undefined} value
 * @param {number} digits behind the point
 * @param {string} unit
 */
export function figure(value, digits = 0, unit = '') {
  return Number.isFinite(value) ? `${value.toFixed(digits)}${unit}` : '–';
}

/** @returns the value with three digits behind the point; null where a short measurement has none */
export function rounded(value) {
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null;
}
