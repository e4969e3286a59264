import { DormouseError } from "../../core/system/errors.ts";

/** A checkpoint or tokenizer file that cannot be imported. Programs that read one end with exit code 2. */
export class CheckpointError extends DormouseError {
  override readonly exitCode = 2;
}
