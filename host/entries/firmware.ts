/** dormouse-edge/firmware: the link to a device and its messages; a device emulated on this machine. */

export { makeStore } from "../firmware/emulate/device-store.ts";
export { makeLinkStream } from "../firmware/emulate/link-stream.ts";
export { replayDevice } from "../firmware/emulate/replay-device.ts";
export type { DeviceTransport } from "../firmware/emulate/run-device.ts";
export { startDevice } from "../firmware/emulate/run-device.ts";
export type { LinkClient, LinkClientOptions } from "../link/client.ts";
export { createLinkClient } from "../link/client.ts";
export { encodeSetPoint } from "../link/decision.ts";
export type { DeviceMessage, DeviceReader } from "../link/messages.ts";
export { createDeviceReader, readDeviceStream } from "../link/messages.ts";
export type { LinkDecoder, LinkStats } from "../link/stream.ts";
export { createLinkDecoder, createLinkWriter, readLinkStream } from "../link/stream.ts";
