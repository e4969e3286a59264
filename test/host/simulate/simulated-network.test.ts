import { expect, it } from "vitest";
import { createRandom } from "../../../host/core/system/random.ts";
import type { Connection } from "../../../host/mqtt/transport/connection.ts";
import { loadBoard, loadRadio } from "../../../host/power/board.ts";
import { createRadio } from "../../../host/power/radio.ts";
import { createSimulatedClock } from "../../../host/simulate/clock.ts";
import { createSimulatedNetwork } from "../../../host/simulate/simulated-network.ts";

const RTT_MILLIS = 180;

/** A node on LTE-M in coverage without loss; `sent` grows by each message that the network has delivered. */
function rig() {
  const clock = createSimulatedClock();
  const radio = createRadio(loadRadio(loadBoard("nrf52840-dk"), "lte-m"));
  const trace = [{ fromSeconds: 0, isUp: true, rttMillis: RTT_MILLIS, loss: 0 }];
  const network = createSimulatedNetwork({ clock, trace, radio, random: createRandom(1), cloud: undefined });
  const connection: Connection = network.connect({ onState: () => {}, onMessage: () => {} } as never);
  connection.open();
  const sent: string[] = [];
  const tell = (name: string, options = {}) => {
    void connection.publish("dormouse/v1/day/wearer/event/fall", new Uint8Array(150), options).then(() => sent.push(name));
  };
  return { clock, radio, network, tell, sent };
}

it("news waits for a wake-up, even while the radio's tail runs; an alarm does not, and takes the news along", async () => {
  const { clock, radio, network, tell, sent } = rig();
  tell("early");
  await clock.advanceTo(1000);
  expect([sent, radio.joules]).toEqual([[], 0]);
  tell("alarm", { priority: "alarm" });
  await clock.advanceTo(4000);
  expect(sent).toEqual(["alarm", "early"]);
  expect(radio.isUp(4)).toBe(true);
  tell("late");
  await clock.advanceTo(60_000);
  expect(sent).toEqual(["alarm", "early"]);
  network.flush();
  await clock.advanceTo(63_000);
  expect(sent).toEqual(["alarm", "early", "late"]);
});

it("packs what waited into TCP segments, so that a report of many messages costs a wake-up, their bytes and a tail", async () => {
  const joulesOf = async (count: number) => {
    const { clock, radio, network, tell, sent } = rig();
    for (let n = 0; n < count; n++) tell(`${n}`);
    await clock.advanceTo(1000);
    network.flush();
    await clock.advanceTo(60_000);
    radio.advance(60);
    expect(sent).toEqual(Array.from({ length: count }, (_, n) => `${n}`));
    expect(network.messagesUp).toBe(count);
    return radio.joules;
  };
  const [one, seven, fourteen] = [await joulesOf(1), await joulesOf(7), await joulesOf(14)];
  const byteJoules = (8 / 180_000) * 0.115 * 3.7;
  const head = 1 + 2 + 2 + 2 + 1 + (3 + "application/cbor".length + 3) + 4; // PUBLISH with a topic alias, and its PUBACK
  expect(seven - one).toBeCloseTo(6 * (150 + head) * byteJoules, 3);
  expect(fourteen - seven).toBeCloseTo((7 * (150 + head) - head + 260) * byteJoules, 3); // a second segment
});

it("wakes the radio early when as much waits as an event publisher keeps", async () => {
  const { clock, tell, sent } = rig();
  for (let n = 0; n < 205; n++) tell(`${n}`);
  await clock.advanceTo(5000);
  expect(sent).toHaveLength(200);
});
