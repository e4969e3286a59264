import { describe, expect, it } from "vitest";
import { loadBoard, loadRadio } from "../../../host/power/board.ts";
import { createBudget } from "../../../host/power/budget.ts";
import { createPoweredDevice } from "../../../host/power/device.ts";
import { createEnergyModel } from "../../../host/power/energy.ts";
import { poweredBoard } from "../../../host/power/powered-board.ts";
import { createRadio } from "../../../host/power/radio.ts";

const board = poweredBoard(loadBoard("nrf52840-dk"));
const REPORT = { bytesUp: 600, bytesDown: 0, waitSeconds: 0 };

function wifiDevice() {
  const radio = createRadio(loadRadio(board, "wifi"));
  const budget = createBudget({ rateWatts: 0, capacityJoules: 1 });
  const device = createPoweredDevice({ energy: createEnergyModel(board.power, 50), budget, radio, ambientCelsius: () => 22 });
  return { radio, budget, device };
}

describe("the account of a device", () => {
  it("takes nothing from the bucket for a radio that idles, kept or off", () => {
    const { radio, budget, device } = wifiDevice();
    device.advance(3600);
    expect(radio.idleJoules).toBe(radio.joules);
    expect(budget.spentJoules).toBe(0);
    const price = radio.priceJoules(3600, REPORT);
    device.reserve(price);
    radio.carry(3600, REPORT.bytesUp, 0);
    device.advance(7200); // kept for a while, then off
    expect(radio.joules - radio.idleJoules).toBeCloseTo(price, 9);
    expect(budget.spentJoules).toBeCloseTo(price, 9);
    expect(device.joules().radio).toBe(radio.joules);
  });

  it("counts what is sent again as more of the same operation", () => {
    const { radio, budget, device } = wifiDevice();
    device.compute({ macs: 1000, requantize: 0, lookup: 0, norm: 0, state: 0, weightBytes: 0 });
    device.reserve(radio.priceJoules(0, REPORT));
    for (let send = 0; send < 20; send++) {
      radio.carry(send, 50_000, 0);
      device.advance(send + 1);
    }
    device.advance(100);
    expect(budget.balanceJoules).toBeLessThan(-0.1);
    expect(budget.spentJoules).toBeGreaterThan(radio.joules - radio.idleJoules);
    expect(budget.overspendJoules).toBe(0);
  });

  it("puts what an exchange left of its price into the next one", () => {
    const { radio, budget, device } = wifiDevice();
    const price = radio.priceJoules(0, REPORT);
    device.reserve(price); // there was nothing to send
    device.advance(10);
    device.reserve(price);
    expect(budget.spentJoules).toBe(price);
    radio.carry(10, REPORT.bytesUp, 0);
    device.reserve(price); // while the other is on the air
    expect(budget.spentJoules).toBe(2 * price);
  });

  it("counts what nobody reserved as an operation each time, and so as debt", () => {
    const { radio, budget, device } = wifiDevice();
    for (let send = 0; send < 100; send++) {
      radio.carry(10 * send, 5000, 0);
      device.advance(10 * send + 10);
    }
    expect(budget.balanceJoules).toBeLessThan(-1);
    expect(budget.overspendJoules).toBeGreaterThan(-0.7 * budget.balanceJoules); // all but the largest, which attached
  });
});
