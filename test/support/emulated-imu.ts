import { GPIOPinState, type RP2040 } from "rp2040js";

/** Where an IMU keeps what. */
export interface ImuRegisters {
  readonly address: number;
  readonly id: readonly [register: number, value: number];
  /** What the driver has to write before there is data. */
  readonly setup: readonly (readonly [register: number, value: number])[];
  readonly data: number;
  /** Bytes from the data register on, for raw values (ax, ay, az, gx, gy, gz). */
  encode(raw: readonly number[]): Uint8Array;
}

/** DS12814: gyroscope first, little-endian. */
export const LSM6DSOX: ImuRegisters = {
  address: 0x6a,
  id: [0x0f, 0x6c],
  setup: [
    [0x12, 0x44], // block data update, addresses that go on
    [0x10, 0x46], // 104 Hz, ±16 g, second low-pass
    [0x11, 0x4c], // 104 Hz, ±2000 °/s
  ],
  data: 0x22,
  encode: ([ax, ay, az, gx, gy, gz]) => {
    const view = new DataView(new ArrayBuffer(12));
    for (const [i, value] of [gx, gy, gz, ax, ay, az].entries()) view.setInt16(2 * i, value!, true);
    return new Uint8Array(view.buffer);
  },
};

/** RM-MPU-6000A: accelerometer, temperature, gyroscope, big-endian. */
export const MPU6050: ImuRegisters = {
  address: 0x69,
  id: [0x75, 0x68],
  setup: [
    [0x6b, 0x01], // awake, on the gyroscope's clock
    [0x1a, 0x04], // low-pass at 21 and 20 Hz
    [0x1b, 0x18], // ±2000 °/s
    [0x1c, 0x18], // ±16 g
  ],
  data: 0x3b,
  encode: ([ax, ay, az, gx, gy, gz]) => {
    const view = new DataView(new ArrayBuffer(14));
    for (const [i, value] of [ax, ay, az, 1234, gx, gy, gz].entries()) view.setInt16(2 * i, value!);
    return new Uint8Array(view.buffer);
  },
};

export interface EmulatedImuOptions {
  readonly registers: ImuRegisters;
  /** The raw sample of the n-th reading, from 0; undefined: the IMU has no power. Power that comes back finds every register 0. */
  readonly sample: (reading: number) => readonly number[] | undefined;
  /** Clocks for which it holds the data line after power-on, as one that was cut off in mid-byte does. Default 0. */
  readonly heldClocks?: number;
  readonly pins?: { readonly sda: number; readonly scl: number };
}

/** An IMU on the I²C pins of an emulated RP2040, bit by bit (UM10204): start, stop, acknowledge, repeated start, addresses that go on. */
export class EmulatedImu {
  readonly #options: EmulatedImuOptions;
  readonly #memory = new Uint8Array(256);
  readonly #mcu: RP2040;
  readonly #drive: () => void;
  #isMasterHigh = { sda: true, scl: true };
  #isReleased = true; // our side of the data line
  #before = { sda: true, scl: true };
  #phase: "idle" | "address" | "register" | "write" | "read" = "idle";
  #bits = 0; // clocks of the current byte
  #byte = 0;
  #register = 0;
  #held: number;
  /** Samples that were read or refused, when, and times that the driver wrote the whole set-up. */
  readings = 0;
  readonly nanos: number[] = [];
  setups = 0;

  constructor(mcu: RP2040, options: EmulatedImuOptions) {
    this.#mcu = mcu;
    this.#options = options;
    this.#held = options.heldClocks ?? 0;
    this.#isReleased = this.#held === 0;
    const { sda, scl } = options.pins ?? { sda: 4, scl: 5 };
    const [dataPin, clockPin] = [mcu.gpio[sda]!, mcu.gpio[scl]!];
    this.#drive = () => {
      clockPin.setInputValue(this.#isMasterHigh.scl);
      dataPin.setInputValue(this.#isMasterHigh.sda && this.#isReleased);
    };
    for (const [name, pin] of [["sda", dataPin] as const, ["scl", clockPin] as const]) {
      pin.addListener((state) => {
        this.#isMasterHigh = { ...this.#isMasterHigh, [name]: state !== GPIOPinState.Low };
        this.#changed();
      });
    }
    this.#drive();
  }

  get #isSetUp(): boolean {
    return this.#options.registers.setup.every(([register, value]) => this.#memory[register] === value);
  }

  #changed(): void {
    const { scl } = this.#isMasterHigh;
    const sda = this.#isMasterHigh.sda && this.#isReleased;
    const before = this.#before;
    this.#before = { sda, scl };
    if (this.#held > 0) {
      if (before.scl && !scl && --this.#held === 0) this.#isReleased = true;
    } else if (scl && before.scl && sda !== before.sda) {
      this.#phase = sda ? "idle" : "address";
      this.#bits = 0;
      this.#isReleased = true;
    } else if (scl && !before.scl) this.#rise(sda);
    else if (!scl && before.scl) this.#fall();
    this.#drive();
  }

  #rise(sda: boolean): void {
    if (this.#phase === "idle") return;
    this.#bits++;
    if (this.#phase === "read") {
      if (this.#bits === 9 && sda) this.#phase = "idle"; // the driver wants no more
    } else if (this.#bits <= 8) this.#byte = ((this.#byte << 1) | (sda ? 1 : 0)) & 255;
  }

  #fall(): void {
    if (this.#phase === "idle") return;
    if (this.#bits === 9) {
      this.#bits = 0;
      this.#isReleased = true;
      if (this.#phase === "address") this.#phase = this.#byte & 1 ? "read" : "register";
      else if (this.#phase === "register") this.#phase = "write";
      else if (this.#phase === "write") this.#register = (this.#register + 1) & 255;
    }
    if (this.#phase === "read") {
      if (this.#bits === 0) this.#byte = this.#memory[this.#register++ & 255]!;
      this.#isReleased = this.#bits === 8 || (this.#byte & (0x80 >> this.#bits)) !== 0;
    } else if (this.#bits === 8) this.#isReleased = !this.#takes();
  }

  #read(): void {
    this.readings++;
    this.nanos.push(this.#mcu.clock.nanos);
  }

  /** A whole byte from the driver. False: not acknowledged. */
  #takes(): boolean {
    const { registers, sample } = this.#options;
    if (this.#phase === "address") {
      const isMine = this.#byte >> 1 === registers.address;
      if (!isMine) this.#phase = "idle";
      else if (!(this.#byte & 1) && sample(this.readings) === undefined) {
        this.#read();
        this.#memory.fill(0);
        this.#phase = "idle";
        return false;
      } else this.#memory[registers.id[0]] = registers.id[1];
      return isMine;
    }
    if (this.#phase === "register") {
      this.#register = this.#byte;
      if (this.#register === registers.data) {
        this.#memory.set(registers.encode(this.#isSetUp ? sample(this.readings)! : [0, 0, 0, 0, 0, 0]), registers.data);
        this.#read();
      }
      return true;
    }
    const was = this.#isSetUp;
    this.#memory[this.#register] = this.#byte;
    if (!was && this.#isSetUp) this.setups++;
    return true;
  }
}
