import fc from "fast-check";

// Property tests draw the same cases in every run; DORMOUSE_SEED draws others.
fc.configureGlobal({ seed: Number(process.env.DORMOUSE_SEED ?? 20261121) });
