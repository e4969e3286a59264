// The part of the WebAssembly JavaScript API that Dormouse uses; TypeScript ships it only with the DOM.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>);
    static imports(module: Module): { module: string; name: string; kind: string }[];
    static exports(module: Module): { name: string; kind: string }[];
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports?: object);
    readonly exports: Record<string, unknown>;
  }
}
