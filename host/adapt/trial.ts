/** Whether a wearer's own evidence speaks, or the image's. */
export interface Trial {
  readonly isOwn: boolean;
  /** The cloud has answered where the two labels differ. An answer that sides with neither says nothing. */
  dispute(labels: { readonly own: number; readonly image: number }, answer: number): void;
  /** The sensor may have been put on anew. */
  reset(): void;
}

/** Disputes that either side may be ahead: so many of the others bring it back. */
const MOST_LEAD = 4;

/**
 * The image's evidence speaks until the cloud has sided with the wearer's own more often than with it, since the start or since the
 * sensor was put on anew: what was learned may have been how it sat then. A contextual test of champion against challenger.
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
