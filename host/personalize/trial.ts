/** What the two kinds of evidence say of one decision, in labels. */
export interface Differing {
  readonly own: number;
  readonly image: number;
}

/** Whether a wearer's own evidence or the image's decides where the image is in doubt. */
export interface Trial {
  /** Whether the wearer's own decides; `isOwnSure` by the thresholds in force. Where both say the same there is nothing to decide. */
  decides(labels: Differing, isOwnSure: boolean): boolean;
  /** The cloud has answered where the two differ and the image is in doubt. An answer that sides with neither says nothing. */
  dispute(labels: Differing, answer: number): void;
  /** The sensor may have been put on anew. */
  reset(): void;
}

/** Disputes that either side may be ahead: so many the other way bring it back, however many went before. */
const MOST_LEAD = 4;
/** Disputes that it must be ahead to decide what it is not sure of itself. */
const LEAD_TO_DECIDE = 3;

/**
 * The wearer's own evidence decides what it is sure of, until the cloud has sided against it more often than with it; once it is
 * LEAD_TO_DECIDE disputes ahead, whatever it says. Counted for each two labels that it and the image give, since who knows sitting from
 * lying need not know stairs from walking, and anew where the sensor may have been put on anew: what was learned may have been how it sat
 * then.
 */
export function createTrial(): Trial {
  const leads = new Map<number, Map<number, number>>(); // by own label and image's: disputes that the wearer's own is ahead
  const leadOf = ({ own, image }: Differing): number => leads.get(own)?.get(image) ?? 0;
  return {
    decides(labels, isOwnSure) {
      if (labels.own === labels.image) return false;
      const lead = leadOf(labels);
      return lead >= LEAD_TO_DECIDE || (isOwnSure && lead >= 0);
    },
    dispute(labels, answer) {
      const { own, image } = labels;
      if (own === image || (answer !== own && answer !== image)) return;
      const lead = leadOf(labels) + (answer === own ? 1 : -1);
      const ofOwn = leads.get(own) ?? new Map<number, number>();
      leads.set(own, ofOwn.set(image, Math.max(-MOST_LEAD, Math.min(MOST_LEAD, lead))));
    },
    reset() {
      leads.clear();
    },
  };
}
