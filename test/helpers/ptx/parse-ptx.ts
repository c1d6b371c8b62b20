/** One instruction of a kernel: `@!%p3 add.s32 %r1, %r2, 4;` */
export interface Instruction {
  readonly predicate: { readonly register: string; readonly negated: boolean } | null;
  readonly operation: string;
  /** Operands as written: a register, a number, a `{list}`, an `[address]` or a label. */
  readonly operands: readonly string[];
}

export interface Kernel {
  readonly name: string;
  readonly parameterBytes: number;
  readonly parameter: string;
  readonly instructions: readonly Instruction[];
  /** Index of the instruction that follows a label. */
  readonly labels: ReadonlyMap<string, number>;
  /** How many registers of each kind the kernel declares, by prefix: `%r`, `%rd`, `%f`, `%rs`, `%p`. */
  readonly registers: ReadonlyMap<string, number>;
}

/** Reads the kernel whose mangled name contains `name`. @throws Error if there is none, or more than one */
export function parseKernel(ptx: string, name: string): Kernel {
  const entries = [...ptx.matchAll(/\.entry (\w+)\(\s*\.param [^\n]*? (\w+)\[(\d+)\]\s*\)/g)];
  const found = entries.filter(([, entry = '']) => entry.includes(name));
  const [entry] = found;
  if (entry === undefined || found.length !== 1) throw new Error(`${found.length} kernels are named ${name}`);
  const [, mangled = '', parameter = '', bytes = ''] = entry;
  const lines = bodyAfter(ptx, entry.index + entry[0].length).split('\n');
  const instructions: Instruction[] = [];
  const labels = new Map<string, number>();
  const registers = new Map<string, number>();
  for (const line of lines) {
    // Inline assembly stands in braces of its own.
    const text = line
      .replace(/\/\/.*/, '')
      .trim()
      .replace(/^\{\s*/, '')
      .replace(/;\s*\}$/, ';')
      .trim();
    const [, label] = /^(\$\w+):/.exec(text) ?? [];
    const [, prefix, count] = /^\.reg \.\w+\s+(%\w+)<(\d+)>/.exec(text) ?? [];
    if (label !== undefined) labels.set(label, instructions.length);
    else if (prefix !== undefined) registers.set(prefix, Number(count));
    else if (text !== '' && text !== '}' && !text.startsWith('.')) instructions.push(parseInstruction(text));
  }
  return { name: mangled, parameterBytes: Number(bytes), parameter, instructions, labels, registers };
}

function bodyAfter(ptx: string, from: number): string {
  const next = ptx.indexOf('.entry ', from);
  return ptx.slice(ptx.indexOf('\n{', from) + 2, next < 0 ? ptx.length : next);
}

function parseInstruction(text: string): Instruction {
  const match = /^(?:@(!?)(%p\d+)\s+)?([\w.:]+)\s*(.*?);$/.exec(text);
  if (match === null) throw new Error(`not an instruction: ${text}`);
  const [, negation, register, operation = '', rest = ''] = match;
  return {
    predicate: register === undefined ? null : { register, negated: negation === '!' },
    operation,
    operands: (rest.match(/\{[^}]*\}|\[[^\]]*\]|[^\s,]+/g) ?? []).map((operand) => operand.trim()),
  };
}
