import { ASK_FORMS, type AskForm } from "./payloads.ts";

/** A form in which an ask could go, as things are now. */
export interface FormOffer {
  readonly form: AskForm;
  readonly bytes: number;
  readonly worth: number; // share of asks that the cloud answers rightly from it, 0…1
}

export interface FormLimits {
  /** Bits about the wearer that may still leave the device in this hour. */
  readonly bitsLeft: number;
  readonly maxBytes: number;
  /** What a kilobyte of radio costs, in worth. */
  readonly worthAKilobyte: number;
}

/**
 * The form whose worth, less what its bytes cost, is greatest among those that privacy and size allow; of equals the least telling.
 * Undefined: none is allowed, so nothing is asked. Bits count as bytes do: whatever is inferred from a message, it tells no more of
 * the wearer than it has bits.
 */
export function chooseForm<O extends FormOffer>(offers: readonly O[], limits: FormLimits): O | undefined {
  const value = ({ worth, bytes }: FormOffer) => worth - (bytes / 1024) * limits.worthAKilobyte;
  return offers
    .filter(({ bytes }) => bytes > 0 && bytes <= limits.maxBytes && 8 * bytes <= limits.bitsLeft)
    .sort((a, b) => value(b) - value(a) || ASK_FORMS.indexOf(b.form) - ASK_FORMS.indexOf(a.form))[0];
}

/** Counts bits that left the device; never more than `bitsAnHour` in any hour, wherever it is laid. */
export interface PrivacyMeter {
  bitsLeft(seconds: number): number;
  spend(seconds: number, bytes: number): void;
}

const HOUR_SECONDS = 3600;

/** Times in seconds on any clock that goes forward. */
export function createPrivacyMeter(bitsAnHour = Number.POSITIVE_INFINITY): PrivacyMeter {
  let spent: { readonly at: number; readonly bits: number }[] = [];
  return {
    bitsLeft(seconds) {
      spent = spent.filter(({ at }) => at > seconds - HOUR_SECONDS);
      return bitsAnHour - spent.reduce((sum, { bits }) => sum + bits, 0);
    },
    spend(seconds, bytes) {
      if (bitsAnHour !== Number.POSITIVE_INFINITY) spent.push({ at: seconds, bits: 8 * bytes });
    },
  };
}
