// The scratch buffers that all blocks of a model share, each as wide as its widest use. A block requests them by these names.
export const SCRATCH_NORM = 0; // s8 elements
export const SCRATCH_ACC = 1; // s32 elements
export const SCRATCH_PROJECTION = 2; // s8 elements
export const SCRATCH_INNER = 3; // s8 elements
export const SCRATCH_SMALL = 4; // bytes
