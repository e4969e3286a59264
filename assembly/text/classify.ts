import { linear, rowsToS16 } from "../blocks/linear";
import { bagS8 } from "../kernels/bag-s8";
import { clampS8, requantize } from "../kernels/requantize";
import { isqrt } from "../kernels/rms-norm";
import { softmaxQ15 } from "../kernels/softmax";
import { linearAt } from "../check";
import { setWord, word } from "../words";
import * as T from "./layout";
import { TextModel } from "./model";
import { isCut, readFeatures } from "./tokens";

/** hidden (dModel) s8 = Σ rows / √n. 2^15/√n is an integer root; |Σ| · 2^15/√n ≤ 127 · √n · 2^15 < TEXT_HIDDEN_BOUND. */
function writeHidden(model: TextModel, n: i32): void {
  const record = model.record;
  const image = model.image;
  const acc = model.acc;
  bagS8(image + word(record, T.TEXT_TABLE), model.rows, n, acc, model.dModel);
  const root = n == 0 ? 0 : <i32>isqrt(<u32>(1 << 30) / <u32>n);
  const multipliers = image + word(record, T.TEXT_HIDDEN_MULTIPLIER);
  const shifts = image + word(record, T.TEXT_HIDDEN_SHIFT);
  for (let i: usize = 0; i < <usize>model.dModel; i++) {
    const sum = load<i32>(acc + (i << 2)) * root;
    store<i8>(model.hidden + i, clampS8(requantize(sum, load<i32>(multipliers + (i << 2)), <i32>load<i8>(shifts + i))));
  }
}

/** What a text of `bytes` bytes in model.text means: fills model.logits and model.result. */
export function classifyText(model: TextModel, bytes: i32): void {
  const n = readFeatures(model, min<i32>(max<i32>(bytes, 0), T.TEXT_LIMIT_BYTES));
  writeHidden(model, n);

  // logits = head · hidden
  const head = linearAt(model.record, T.TEXT_HEAD);
  const nClasses = model.nClasses;
  linear(model.image, head, model.hidden, model.acc);
  rowsToS16(model.image, head, model.acc, model.logits, 0, nClasses);

  let label = 0;
  for (let c = 0; c < nClasses; c++) {
    const logit = <i32>load<i16>(model.logits + <usize>(c << 1));
    store<i32>(model.acc + <usize>(c << 2), logit);
    if (logit > <i32>load<i16>(model.logits + <usize>(label << 1))) label = c;
  }
  const temperature = model.record;
  softmaxQ15(model.tables, model.acc, nClasses, word(temperature, T.TEXT_TEMPERATURE_MULTIPLIER), word(temperature, T.TEXT_TEMPERATURE_SHIFT));
  setWord(model.result, T.RESULT_LABEL, label);
  setWord(model.result, T.RESULT_PROBABILITY, n == 0 ? 0 : word(model.acc, label));
  setWord(model.result, T.RESULT_FEATURES, n);
  setWord(model.result, T.RESULT_IS_CUT, isCut());
}
