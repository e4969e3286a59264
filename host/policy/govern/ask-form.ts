import { ASK_FORMS, type AskForm } from "../../mqtt/wire/ask-forms.ts";

/** A form in which an ask could go, as things are now. */
export interface FormOffer {
  readonly form: AskForm;
  readonly bytes: number;
  readonly worth: number; // share of asks that the cloud answers rightly from it, 0…1
}

export interface FormLimits {
  /** Of sensor data, that privacy lets leave the device now. */
  readonly allowedBytes: number;
  readonly maxBytes: number;
  /** Price of a kilobyte sent by radio, on the scale of `worth`. */
  readonly worthAKilobyte: number;
}

/**
 * The form whose worth, less what its bytes cost, is greatest among those that privacy and size allow; of equals the least telling.
 * Undefined: none is allowed, so nothing is asked.
 */
export function chooseForm<O extends FormOffer>(offers: readonly O[], limits: FormLimits): O | undefined {
  const value = ({ worth, bytes }: FormOffer) => worth - (bytes / 1024) * limits.worthAKilobyte;
  return offers
    .filter(({ bytes }) => bytes > 0 && bytes <= limits.maxBytes && bytes <= limits.allowedBytes)
    .sort((a, b) => value(b) - value(a) || ASK_FORMS.indexOf(b.form) - ASK_FORMS.indexOf(a.form))[0];
}
