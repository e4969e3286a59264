// A first decision by the library, as the README shows it.
const [, , root] = process.argv;
const { Model } = await import(`${root}/dist/index.js`);
const model = await Model.open(`${root}/agents/activity/model.dmm`);
const session = model.createSession();
let decision;
for (let tick = 1; tick <= 128 && decision === undefined; tick++)
  decision = session.pushFrame(Int16Array.of(1840, -120, 300, 12, -4, 7), tick).decision;
if (decision === undefined) throw new Error("no decision in 128 frames");
