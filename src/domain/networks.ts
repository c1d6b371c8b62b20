/** A neural network's file on this machine, with what the pipelines must know of it. */
export interface NetworkFile {
  readonly name: string;
  /** Absolute path of the ONNX file. */
  readonly path: string;
  /** Of the file's bytes, hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly licence: string | null;
}
