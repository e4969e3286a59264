/**
 * Whether the cloud's answer has the word over the device's own decision: the surer of the two has it, a tie is the cloud's.
 * Both confidences are probabilities at a fitted temperature (the device's Q15, 0…32768; the answer's 0…1).
 */
export function isCloudSurer(answerConfidence: number, localConfidenceQ15: number): boolean {
  return answerConfidence * 32768 >= localConfidenceQ15;
}
