import type { Instruction } from './parse-ptx.ts';

/**
 * Registers are typed arrays with one element per register and thread: `r` holds %r as signed numbers, `f` %f (`fi` its bits),
 * `s` %rs as unsigned numbers, `p` %p, `d` %rd as signed numbers (`u` unsigned).
 */
const FILES: Readonly<Record<string, string>> = { r: 'r', f: 'f', rs: 's', p: 'p', rd: 'd' };
const REGISTER = /^%(rs|rd|r|f|p)(\d+)$/;

/** Translates one instruction into a JavaScript statement for thread `t`. */
export function translate({ predicate, operation, operands }: Instruction, threads: number): string {
  const statement = new Translator(threads).statement(operation, operands);
  if (predicate === null) return statement;
  return `if (${predicate.negated ? '!' : ''}${register(predicate.register, threads)}) { ${statement} }`;
}

export function register(name: string, threads: number, file?: string): string {
  const [, kind = '', number = ''] = REGISTER.exec(name) ?? [];
  if (kind === '') throw new Error(`not a register: ${name}`);
  return `${file ?? FILES[kind]}[${Number(number) * threads} + t]`;
}

export function listOf(operand: string): string[] {
  return operand
    .replace(/[{}]/g, '')
    .split(',')
    .map((item) => item.trim());
}

const SPECIAL: Readonly<Record<string, string>> = {
  '%tid.x': 't',
  '%ctaid.x': 'm.block.x',
  '%ctaid.y': 'm.block.y',
  '%ctaid.z': 'm.block.z',
  '%ntid.x': 'm.threads',
};
const COMPARISONS: Readonly<Record<string, string>> = {
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};
/** True also if an operand is not a number. */
const UNORDERED: Readonly<Record<string, string>> = {
  geu: '<',
  gtu: '<=',
  ltu: '>=',
  leu: '>',
  neu: '===',
  equ: '!==',
};
const INFIX: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', and: '&', or: '|', xor: '^' };

class Translator {
  readonly #threads: number;

  constructor(threads: number) {
    this.#threads = threads;
  }

  statement(operation: string, operands: readonly string[]): string {
    const [name = '', ...modifiers] = operation.split('.');
    const type = modifiers.at(-1) ?? '';
    const [to = '', ...from] = operands;
    const set = (value: string): string => this.#set(to, value);
    const [a = '', b = '', c = ''] = ['ld', 'st', 'cp', 'cvt', 'mov', 'selp'].includes(name)
      ? from
      : from.map((operand) => this.#value(operand, type));
    switch (name) {
      case 'mov':
        return this.#move(to, a, type);
      case 'cvta':
        return set(a);
      case 'cvt':
        return set(this.#convert(a, modifiers));
      case 'ld':
        return this.#load(modifiers, to, a);
      case 'st':
        return this.#store(modifiers, to, a);
      case 'cp':
        return this.#copy(modifiers, operands);
      case 'fence':
        return '';
      case 'setp':
        return set(
          compare(modifiers[0] ?? '', this.#value(from[0] ?? '', type), this.#value(from[1] ?? '', type)),
        );
      case 'selp':
        return set(`${register(c, this.#threads)} ? ${this.#value(a, type)} : ${this.#value(b, type)}`);
      case 'mul':
        if (modifiers[0] === 'wide') return set(`BigInt(${a}) * BigInt(${b})`);
        if (modifiers[0] === 'hi') return set(`Number((BigInt(${a}) * BigInt(${b})) >> 32n)`);
        if (modifiers[0] === 'lo' && type.endsWith('32')) return set(`Math.imul(${a}, ${b})`);
        return set(`${a} * ${b}`);
      case 'mad':
        if (type.endsWith('64')) return set(`${a} * ${b} + ${c}`);
        return set(`Math.imul(${a}, ${b}) + ${c}`);
      case 'fma':
        return set(`${a} * ${b} + ${c}`);
      case 'add':
      case 'sub':
      case 'and':
      case 'or':
      case 'xor':
        return set(`${a} ${INFIX[name]} ${b}`);
      case 'not':
        return set(type === 'pred' ? `!${a}` : `~${a}`);
      case 'neg':
        return set(`-${a}`);
      case 'abs':
        return set(`Math.abs(${a})`);
      case 'shl':
      case 'shr':
        return set(this.#shift(name, type, from));
      case 'div':
        return set(type.startsWith('f') || type.endsWith('64') ? `${a} / ${b}` : `Math.trunc(${a} / ${b})`);
      case 'rem':
        return set(`${a} % ${b}`);
      case 'min':
      case 'max':
        // A number wins over what is none.
        if (type === 'f32')
          return set(`Number.isNaN(${a}) ? ${b} : ${b} ${name === 'min' ? '<' : '>'} ${a} ? ${b} : ${a}`);
        return set(`${a} ${name === 'min' ? '<' : '>'} ${b} ? ${a} : ${b}`);
      case 'rcp':
        return set(`1 / ${a}`);
      case 'ex2':
        return set(`2 ** ${a}`);
      default:
        throw new Error(`the interpreter does not know ${operation}`);
    }
  }

  #set(to: string, value: string): string {
    return `${register(to, this.#threads)} = ${value};`;
  }

  /** An operand as a JavaScript number, or as a bigint if its type has 64 bits. */
  #value(operand: string, type: string): string {
    const wide = type.endsWith('64');
    const special = SPECIAL[operand];
    if (special !== undefined) return special;
    if (operand.startsWith('0f')) {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint32(0, Number.parseInt(operand.slice(2), 16));
      const value = view.getFloat32(0);
      return Object.is(value, -0) ? '-0' : `(${value})`;
    }
    const [, kind] = REGISTER.exec(operand) ?? [];
    if (kind === undefined) {
      // The addresses of the parameters and of shared memory are 0 in their spaces.
      const constant = /^-?\d/.test(operand) ? BigInt(operand) : 0n;
      const unsigned = type.startsWith('u') ? BigInt.asUintN(Number(type.slice(1)), constant) : constant;
      return wide ? `(${unsigned}n)` : `(${unsigned})`;
    }
    if (kind === 'f' && type !== 'f32') return register(operand, this.#threads, 'fi');
    if (kind === 'rd') return register(operand, this.#threads, type === 'u64' ? 'u' : 'd');
    const text = register(operand, this.#threads);
    if (kind === 'r' && type === 'u32') return `(${text} >>> 0)`;
    if (kind === 'rs' && type === 's16') return `(${text} << 16 >> 16)`;
    return text;
  }

  #move(to: string, from: string, type: string): string {
    if (from.startsWith('{')) {
      const [low = '', high = ''] = listOf(from).map((half) => register(half, this.#threads));
      return this.#set(to, `${low} | (${high} << 16)`);
    }
    const value = this.#value(from, type);
    if (to.startsWith('{')) {
      return listOf(to)
        .map((half, i) => this.#set(half, `(${value} >>> ${16 * i}) & 0xffff`))
        .join(' ');
    }
    // Bits, not numbers, go between integers and floats.
    const bits = type !== 'f32' && to.startsWith('%f');
    return `${register(to, this.#threads, bits ? 'fi' : undefined)} = ${value};`;
  }

  #convert(from: string, modifiers: readonly string[]): string {
    const target = modifiers.at(-2) ?? '';
    const source = modifiers.at(-1) ?? '';
    const value = this.#value(from, source === 'f16' ? 'b16' : source);
    if (target === 'f16') return `m.toHalf(${value})`;
    if (source === 'f16') return `m.fromHalf(${value})`;
    if (target.startsWith('f')) return value;
    if (modifiers[0] === 'rzi') return `m.toInteger(${value}, ${target === 'u32'})`;
    const wide = source.endsWith('64');
    if (target.endsWith('64')) return wide ? value : `BigInt(${value})`;
    const narrow = wide ? `Number(BigInt.asIntN(32, ${value}))` : value;
    return target.endsWith('16') ? `${narrow} & 0xffff` : narrow;
  }

  #shift(name: string, type: string, [from = '', by = '']: readonly string[]): string {
    if (type.endsWith('64')) {
      const value = this.#value(from, type === 'b64' && name === 'shr' ? 'u64' : type);
      return `${value} ${name === 'shl' ? '<<' : '>>'} BigInt(${this.#value(by, 'u32')})`;
    }
    // Shifts by 32 and more leave nothing, or the sign.
    const signed = type.startsWith('s');
    const value = this.#value(from, signed ? 's32' : 'u32');
    const count = this.#value(by, 'u32');
    if (name === 'shl') return `${count} > 31 ? 0 : ${value} << ${count}`;
    return signed ? `${value} >> Math.min(31, ${count})` : `${count} > 31 ? 0 : ${value} >>> ${count}`;
  }

  /** `[%rd4+-16]` as a JavaScript number. */
  #address(operand: string): string {
    const [, base = '', offset = '0'] = /^\[(.+?)(?:\+(-?\d+))?\]$/.exec(operand) ?? [];
    if (!base.startsWith('%')) return offset;
    const value = base.startsWith('%rd') ? `Number(${this.#value(base, 'b64')})` : this.#value(base, 'u32');
    return `${value} + ${offset}`;
  }

  #load(modifiers: readonly string[], to: string, from: string): string {
    const [space = ''] = modifiers;
    const type = modifiers.at(-1) ?? '';
    const bytes = Number(type.slice(1)) / 8;
    const targets = listOf(to);
    const loads = targets.map((target, i) => {
      const read = `m.${space}.read_${type}(a + ${i * bytes})`;
      if (target.startsWith('%rd')) return this.#set(target, bytes === 8 ? read : `BigInt(${read})`);
      const bits = target.startsWith('%f') && type !== 'f32';
      return `${register(target, this.#threads, bits ? 'fi' : undefined)} = ${read};`;
    });
    return `{ const a = m.${space}.check(${this.#address(from)}, ${targets.length * bytes}); ${loads.join(' ')} }`;
  }

  #store(modifiers: readonly string[], to: string, from: string): string {
    const [space = ''] = modifiers;
    const type = modifiers.at(-1) ?? '';
    const bytes = Number(type.slice(1)) / 8;
    const sources = listOf(from);
    const stores = sources.map(
      (source, i) => `m.${space}.write_${type}(a + ${i * bytes}, ${this.#value(source, type)});`,
    );
    return `{ const a = m.${space}.check(${this.#address(to)}, ${sources.length * bytes}); ${stores.join(' ')} }`;
  }

  #copy([, kind = '']: readonly string[], operands: readonly string[]): string {
    const [to = '', from = '', , size = ''] = operands;
    if (kind === 'commit_group') return 'm.copies.commit(t);';
    if (kind === 'wait_group') return `m.copies.wait(t, ${to});`;
    return `m.copies.start(t, ${this.#address(to)}, ${this.#address(from)}, ${this.#value(size, 'u32')});`;
  }
}

function compare(how: string, a: string, b: string): string {
  const unordered = UNORDERED[how];
  if (unordered !== undefined) return `!(${a} ${unordered} ${b})`;
  const comparison = COMPARISONS[how];
  if (comparison === undefined) throw new Error(`the interpreter does not know the comparison ${how}`);
  return `${a} ${comparison} ${b}`;
}
