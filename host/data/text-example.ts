/** A text and what it means. */
export interface TextExample {
  readonly text: string;
  readonly label: string;
}

/** Texts that a model is trained and calibrated with. */
export interface TextDataset {
  /** Every label, in the order of the net's rows. */
  readonly labels: readonly string[];
  /** Labels that stand for "none of the others". */
  readonly outOfScope: readonly string[];
  readonly fit: readonly TextExample[];
  /** Temperature and threshold are fitted on these, and on no other. */
  readonly validation: readonly TextExample[];
  readonly provenance: { readonly data: string; readonly licence: string };
}
