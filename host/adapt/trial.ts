/** Whether a wearer's own evidence speaks, or the image's, where the image is not sure. */
export interface Trial {
  readonly isOwn: boolean;
  /** The cloud has answered where the two labels differ and the image is not sure. An answer that sides with neither says nothing. */
  dispute(labels: { readonly own: number; readonly image: number }, answer: number): void;
  /** The sensor may have been put on anew. */
  reset(): void;
}

/** Disputes that either side may be ahead: so many the other way bring it back, however many went before. */
const MOST_LEAD = 4;

/**
 * The image's evidence speaks until the cloud, of late, has sided with the wearer's own more often than with it, beginning anew where the
 * sensor may have been put on anew: what was learned may have been how it sat then.
 */
export function createTrial(): Trial {
  let lead = 0; // of the wearer's own
  return {
    get isOwn() {
      return lead > 0;
    },
    dispute({ own, image }, answer) {
      if (own === image) return;
      if (answer === own) lead = Math.min(MOST_LEAD, lead + 1);
      else if (answer === image) lead = Math.max(-MOST_LEAD, lead - 1);
    },
    reset() {
      lead = 0;
    },
  };
}
