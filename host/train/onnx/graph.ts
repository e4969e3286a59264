import { encodeMessage, type Field } from "./protobuf.ts";

const FLOAT = 1;
const INT64 = 7;
/** Oldest set that has every operator used here; onnxruntime 1.14 and later read it. */
const OPSET = 17;
const IR_VERSION = 8;

export type Attribute = number | readonly number[];

/** What a net is drawn into: constants, inputs, outputs and ONNX operators, each known by the name of what it makes. */
export interface Graph {
  input(name: string, shape: readonly number[]): string;
  /** Makes a value an output of that name. */
  output(name: string, value: string, shape: readonly number[]): void;
  /** Float32 constants, row-major. */
  floats(values: ArrayLike<number>, shape: readonly number[], name?: string): string;
  scalar(value: number): string;
  integers(values: readonly number[]): string;
  /** One operator with one result. Attributes are integers or lists of them. */
  op(type: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string;
  ops(type: string, inputs: readonly string[], results: number, attributes?: Readonly<Record<string, Attribute>>): string[];
}

/** An ONNX file as it grows. Field numbers: onnx/onnx.proto, IR version 8. */
export class OnnxGraph implements Graph {
  readonly #nodes: Field[] = [];
  readonly #initializers: Field[] = [];
  readonly #inputs: Field[] = [];
  readonly #outputs: Field[] = [];
  #count = 0;

  input(name: string, shape: readonly number[]): string {
    this.#inputs.push([11, valueInfo(name, shape)]);
    return name;
  }

  output(name: string, value: string, shape: readonly number[]): void {
    this.#nodes.push([1, node("Identity", [value], [name], {})]);
    this.#outputs.push([12, valueInfo(name, shape)]);
  }

  floats(values: ArrayLike<number>, shape: readonly number[], name = "c"): string {
    return this.#tensor(FLOAT, new Uint8Array(Float32Array.from(values).buffer), shape, name);
  }

  scalar(value: number): string {
    return this.floats([value], []);
  }

  integers(values: readonly number[]): string {
    return this.#tensor(INT64, new Uint8Array(BigInt64Array.from(values, BigInt).buffer), [values.length], "i");
  }

  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.ops(type, inputs, 1, attributes)[0]!;
  }

  ops(type: string, inputs: readonly string[], results: number, attributes: Readonly<Record<string, Attribute>> = {}): string[] {
    const outputs = Array.from({ length: results }, () => this.#name(type.toLowerCase()));
    this.#nodes.push([1, node(type, inputs, outputs, attributes)]);
    return outputs;
  }

  get nodes(): number {
    return this.#nodes.length;
  }

  /** Bytes of the .onnx file. */
  encode(
    name: string,
    about: { readonly producer: string; readonly version: string; readonly properties: Readonly<Record<string, string>> },
  ): Uint8Array {
    const graph: Field[] = [...this.#nodes, [2, name], ...this.#initializers, ...this.#inputs, ...this.#outputs];
    const properties = Object.entries(about.properties).map(
      ([key, value]): Field => [
        14,
        [
          [1, key],
          [2, value],
        ],
      ],
    );
    return encodeMessage([
      [1, IR_VERSION],
      [2, about.producer],
      [3, about.version],
      [7, graph],
      [
        8,
        [
          [1, ""],
          [2, OPSET],
        ],
      ],
      ...properties,
    ]);
  }

  #name(stem: string): string {
    return `${stem}_${this.#count++}`;
  }

  #tensor(type: number, raw: Uint8Array, shape: readonly number[], stem: string): string {
    const name = this.#name(stem);
    this.#initializers.push([5, [...shape.map((n): Field => [1, n]), [2, type], [8, name], [9, raw]]]);
    return name;
  }
}

function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
): Field[] {
  return [
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, type],
    ...Object.entries(attributes).map(
      ([name, value]): Field =>
        typeof value === "number"
          ? [
              5,
              [
                [1, name],
                [3, value],
                [20, 2],
              ],
            ]
          : [5, [[1, name], ...value.map((n): Field => [8, n]), [20, 7]]],
    ),
  ];
}

function valueInfo(name: string, shape: readonly number[]): Field[] {
  const dims = shape.map((n): Field => [1, [[1, n]]]);
  return [
    [1, name],
    [
      2,
      [
        [
          1,
          [
            [1, FLOAT],
            [2, dims],
          ],
        ],
      ],
    ],
  ];
}
