/**
 * Base of every error that Dormouse throws. The message states what failed, the value, and the fix;
 * `code` is stable and meant for programs.
 */
export class DormouseError extends Error {
  readonly code: string;
  /** What a command ends with that fails by it. */
  readonly exitCode: number = 1;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A model image, its arena, or the wasm module that runs it. */
export class ModelError extends DormouseError {}
/** A recording, a sensor or a frame. */
export class DataError extends DormouseError {}
/** A configuration file, a command-line argument or an agent definition. */
export class ConfigError extends DormouseError {}
/** MQTT: a payload, a topic, a connection. */
export class MqttError extends DormouseError {}
/** The link to a device: a frame, a stream. */
export class LinkError extends DormouseError {}
/** Building, flashing or emulating firmware: a tool, a board, an image. */
export class FirmwareError extends DormouseError {}
