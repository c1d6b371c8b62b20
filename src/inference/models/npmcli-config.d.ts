declare module '@npmcli/config' {
  interface Options {
    readonly npmPath: string;
    readonly definitions: unknown;
    readonly flatten: unknown;
    readonly shorthands: unknown;
    /** Without the program and its script. */
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  }

  // eslint-disable-next-line import-x/no-default-export -- the package has no other
  export default class Config {
    constructor(options: Options);
    load(): Promise<void>;
    /** Options as npm's own libraries take them. */
    readonly flat: Readonly<Record<string, unknown>>;
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const known: { readonly definitions: unknown; readonly flatten: unknown; readonly shorthands: unknown };
  // eslint-disable-next-line import-x/no-default-export -- a CommonJS module, which Node imports as a whole
  export default known;
}
