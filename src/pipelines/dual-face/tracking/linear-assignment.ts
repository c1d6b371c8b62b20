export interface Matched {
  readonly row: number;
  readonly column: number;
}

/**
 * Pairs rows with columns so that the sum of the values is as large as possible. Each row and column is used at most once;
 * pairs with a value below `minValue` are not allowed. Hungarian algorithm with potentials (Kuhn 1955, Munkres 1957), in
 * O(rows³ + rows² · columns).
 *
 * @param value of a pair, at least 0
 * @param minValue above 0
 */
export function assignPairs(
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
  minValue: number,
): Matched[] {
  if (rows === 0 || columns === 0) return [];
  // One extra column per row; a row that is assigned to one of them is unpaired.
  const width = columns + rows;
  const costs = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const worth = value(row, column);
      costs[row * width + column] = worth >= minValue ? -worth : 0;
    }
  }
  const rowOfColumn = solve(rows, width, costs);
  const matched: Matched[] = [];
  for (let column = 0; column < columns; column++) {
    const row = rowOfColumn[column + 1] ?? 0;
    if (row > 0 && (costs[(row - 1) * width + column] ?? 0) < 0) matched.push({ row: row - 1, column });
  }
  return matched;
}

/** The row assigned to each column, both counted from 1; 0: none. `rows` must not exceed `width`. */
function solve(rows: number, width: number, costs: Float64Array): Int32Array {
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(width + 1);
  const rowOfColumn = new Int32Array(width + 1);
  const cameFrom = new Int32Array(width + 1);
  for (let row = 1; row <= rows; row++) {
    const distance = new Float64Array(width + 1).fill(Infinity);
    const done = new Uint8Array(width + 1);
    rowOfColumn[0] = row;
    let column = 0;
    do {
      done[column] = 1;
      const current = rowOfColumn[column] ?? 0;
      let step = Infinity;
      let next = 0;
      for (let j = 1; j <= width; j++) {
        if (done[j] === 1) continue;
        const cost = costs[(current - 1) * width + j - 1] ?? 0;
        const reduced = cost - (rowPotential[current] ?? 0) - (columnPotential[j] ?? 0);
        if (reduced < (distance[j] ?? 0)) {
          distance[j] = reduced;
          cameFrom[j] = column;
        }
        if ((distance[j] ?? 0) < step) {
          step = distance[j] ?? 0;
          next = j;
        }
      }
      for (let j = 0; j <= width; j++) {
        if (done[j] === 1) {
          const owner = rowOfColumn[j] ?? 0;
          rowPotential[owner] = (rowPotential[owner] ?? 0) + step;
          columnPotential[j] = (columnPotential[j] ?? 0) - step;
        } else {
          distance[j] = (distance[j] ?? 0) - step;
        }
      }
      column = next;
    } while (rowOfColumn[column] !== 0);
    while (column !== 0) {
      const before = cameFrom[column] ?? 0;
      rowOfColumn[column] = rowOfColumn[before] ?? 0;
      column = before;
    }
  }
  return rowOfColumn;
}
