import type { Attribute, Graph } from "../../../host/train/onnx/graph.ts";
import { importPeer } from "./import-peer.ts";
import type { PeerNet } from "./onnx-runtimes.ts";

// TensorFlow.js reads no ONNX: the net is drawn once more, each operator by the one of tfjs that does the same.

interface Tensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
}
type Op = (...args: readonly unknown[]) => Tensor;
interface Tf {
  setBackend(name: string): Promise<boolean>;
  tidy<T>(body: () => T): T;
  keep(tensor: Tensor): Tensor;
  split(x: Tensor, sizes: readonly number[], axis: number): Tensor[];
  readonly [op: string]: unknown;
}

interface Step {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Records operators and constants. */
class Recording implements Graph {
  readonly steps: Step[] = [];
  readonly tensors = new Map<string, { readonly values: Float32Array; readonly shape: readonly number[] }>();
  readonly lists = new Map<string, readonly number[]>();
  readonly outputs = new Map<string, string>();
  #count = 0;

  input(name: string): string {
    return name;
  }
  output(name: string, value: string): void {
    this.outputs.set(name, value);
  }
  floats(values: ArrayLike<number>, shape: readonly number[]): string {
    const name = `c${this.#count++}`;
    this.tensors.set(name, { values: Float32Array.from(values), shape });
    return name;
  }
  scalar(value: number): string {
    return this.floats([value], []);
  }
  integers(values: readonly number[]): string {
    const name = `i${this.#count++}`;
    this.lists.set(name, values);
    return name;
  }
  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.ops(type, inputs, 1, attributes)[0]!;
  }
  ops(type: string, inputs: readonly string[], results: number, attributes: Readonly<Record<string, Attribute>> = {}): string[] {
    const outputs = Array.from({ length: results }, () => `v${this.#count++}`);
    this.steps.push({ type, inputs, outputs, attributes });
    return outputs;
  }
}

const ALIKE: Readonly<Record<string, string>> = {
  Add: "add",
  Sub: "sub",
  Mul: "mul",
  Div: "div",
  Sqrt: "sqrt",
  Exp: "exp",
  Sigmoid: "sigmoid",
  Softplus: "softplus",
  Min: "minimum",
  Max: "maximum",
  MatMul: "matMul",
};

/** tfjs on its WebAssembly backend with SIMD, one thread. `draw` draws the net. */
export async function openTfjs(draw: (graph: Graph) => void, shape: readonly [number, number], lastExit: string): Promise<PeerNet> {
  const tf = await importPeer<Tf>("@tensorflow/tfjs-core");
  await importPeer("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs has no wasm backend");
  const net = new Recording();
  draw(net);
  const call = (name: string, ...args: readonly unknown[]): Tensor => (tf[name] as Op)(...args);
  const constants = new Map([...net.tensors].map(([name, { values, shape }]) => [name, tf.keep(call("tensor", values, shape))]));
  const result = net.outputs.get(lastExit)!;

  const runStep = ({ type, inputs, attributes }: Step, values: ReadonlyMap<string, Tensor>): Tensor[] => {
    const at = (i: number): Tensor => values.get(inputs[i]!) ?? constants.get(inputs[i]!)!;
    const list = (i: number): readonly number[] => net.lists.get(inputs[i]!)!;
    const number = (i: number): number => net.tensors.get(inputs[i]!)!.values[0]!;
    switch (type) {
      case "Gemm":
        return [call("add", call("matMul", at(0), at(1)), at(2))];
      case "Reshape":
        return [call("reshape", at(0), list(1))];
      case "Transpose":
        return [call("transpose", at(0), attributes.perm)];
      case "Split":
        return tf.split(at(0), list(1), attributes.axis as number);
      case "Slice":
        return [call("slice", at(0), [list(1)[0], 0], [list(2)[0]! - list(1)[0]!, -1])];
      case "ReduceMean":
        return [call("mean", at(0), -1, true)];
      case "Softmax":
        return [call("softmax", at(0), -1)];
      case "Clip":
        return [call("clipByValue", at(0), number(1), number(2))];
      case "Conv": {
        const [left] = attributes.pads as readonly number[];
        const rows = call("transpose", at(0), [0, 2, 1]); // (1, L, C)
        const [, L, C] = rows.shape as [number, number, number];
        const image = call(
          "reshape",
          call("pad", rows, [
            [0, 0],
            [left, 0],
            [0, 0],
          ]),
          [1, 1, L + left!, C],
        );
        const filter = call("reshape", call("transpose", at(1), [1, 2, 0]), [1, left! + 1, C, 1]);
        const made = call("add", call("depthwiseConv2d", image, filter, 1, "valid"), at(2)); // (1, 1, L, C)
        return [call("transpose", call("reshape", made, [1, L, C]), [0, 2, 1])];
      }
      default:
        return [call(ALIKE[type]!, ...inputs.map((_, i) => at(i)))];
    }
  };

  return {
    run: async (frames) =>
      tf
        .tidy(() => {
          const values = new Map([["frames", call("tensor", frames, shape)]]);
          for (const step of net.steps) for (const [i, made] of runStep(step, values).entries()) values.set(step.outputs[i]!, made);
          return values.get(result)!;
        })
        .dataSync(),
  };
}
