import { STORE_HEADER_WORDS } from "../../../assembly/device/layout.ts";
import { SNAPSHOT_HEADER_BYTES } from "../../../assembly/layout.ts";
import { Model } from "../../core/session/model.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { CHIP_AXES } from "../../data/imu-axes.ts";
import { compileFirmware } from "../c/compile.ts";
import { makeStore, type StoreShape, storeGeometry } from "../emulate/device-store.ts";
import { deviceMemoryBytes, type FirmwareOptions, findModule } from "./build-options.ts";
import { frameSource } from "./frame-source.ts";
import type { Target } from "./target.ts";

/** Largest slot: room for a model four times the activity agent's. */
const SLOT_MOST_BYTES = 196_608;

/** The store of a board for one agent: two slots as large as its flash allows, two snapshots. Throws if two images do not fit. */
export function boardStore(target: Target, image: Uint8Array): StoreShape {
  const sectorBytes = target.storeSectorBytes;
  const snapshotBytes = Model.load(image).arenaBytes + SNAPSHOT_HEADER_BYTES;
  const without = storeGeometry({ agents: 1, sectorBytes, slotBytes: 0, snapshotBytes }).storeBytes;
  const room = Math.floor(Math.max(0, target.storeBytes - without) / 2 / sectorBytes) * sectorBytes;
  const slotBytes = Math.min(room, Math.max(SLOT_MOST_BYTES, sectorBytes));
  if (slotBytes < image.length) {
    throw new ConfigError(
      "STORE_TOO_SMALL",
      `the store of ${target.id} has ${target.storeBytes} B, which leaves two slots of ${room} B: the image has ${image.length} B. Choose a smaller model or another board.`,
    );
  }
  return { agents: 1, sectorBytes, slotBytes, snapshotBytes };
}

const IMU_SOURCES = ["i2c.c", "imu.c", "imu-link.c"];

export interface DeviceFirmwareOptions extends FirmwareOptions {
  /** Whether it keeps snapshots, set-points and updates in flash. */
  readonly hasStore: boolean;
  /** Bytes at the start of FLASH that are not the program's. Default 0. */
  readonly flashOffsetBytes?: number;
}

/** Compiles the firmware: device.wasm, the board's HAL, the model in flash. */
export function deviceFirmware(options: DeviceFirmwareOptions): Uint8Array {
  const { target, image, hasStore, flashOffsetBytes = 0, imuAxes } = options;
  const shape = boardStore(target, image);
  const model = Model.load(image).image;
  const source = frameSource(target, model);
  if (imuAxes !== undefined && source.from === "link")
    throw new ConfigError("NO_IMU", `firmware of this model for ${target.id} reads no IMU: ${source.reason}. Leave --imu-axes out.`);
  return compileFirmware({
    target,
    module: findModule("device", options.kernels),
    sources: ["device.c", ...(hasStore ? ["store.S"] : []), ...(source.from === "imu" ? IMU_SOURCES : [])],
    variant: options.variant,
    model: image,
    flashOffsetBytes,
    memoryBytes: deviceMemoryBytes(image),
    files: hasStore ? { "store.bin": makeStore([], shape).subarray(0, 4 * STORE_HEADER_WORDS) } : {},
    defines: {
      DORMOUSE_STORE_FILE: '"store.bin"',
      DORMOUSE_STORE_BYTES: hasStore ? storeGeometry(shape).storeBytes : 0,
      DORMOUSE_STORE_SECTOR_BYTES: target.storeSectorBytes,
      ...(source.from === "imu" && {
        DORMOUSE_IMU: 1,
        DORMOUSE_IMU_AXES: (imuAxes ?? CHIP_AXES).join(","),
        DORMOUSE_IMU_SCALES: source.scales.map(([n, d]) => `{${n},${d}}`).join(","),
        DORMOUSE_FRAME_MILLIHERTZ: model.frameRateMillihertz,
      }),
    },
  });
}
