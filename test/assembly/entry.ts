// Every kernel, exported so that asc checks it and tests can call it alone.
export { attentionS8 } from "../../assembly/kernels/attention-s8";
export { bagS8 } from "../../assembly/kernels/bag-s8";
export { conv1dS8 } from "../../assembly/kernels/conv1d-s8";
export { gatedS8 } from "../../assembly/kernels/gated-mlp";
export { linearS8 } from "../../assembly/kernels/linear-s8";
export { requantize, requantizeAddS16, requantizeS16, requantizeS8 } from "../../assembly/kernels/requantize";
export { isqrt, rmsNorm } from "../../assembly/kernels/rms-norm";
export { gateS16, selectiveScan } from "../../assembly/kernels/selective-scan";
export { maxS32, softmaxQ15 } from "../../assembly/kernels/softmax";
export { exp2Neg, softplus } from "../../assembly/kernels/tables";
export { quantiseFrame } from "../../assembly/features/imu";
export { crc32 } from "../../assembly/crc32";
export { sha256Add, sha256End, sha256Start } from "../../assembly/sha256";
export { cobsDecode, cobsEncode, crc16 } from "../../assembly/device/cobs";

export function memoryBase(): usize {
  return (__heap_base + 15) & ~15;
}
