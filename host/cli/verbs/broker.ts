import type { Command } from "commander";
import { startBroker } from "../../mqtt/broker.ts";
import type { CliIo } from "../io.ts";
import { jsonOption, wholeNumber } from "../options.ts";
import { createOutput } from "../output.ts";
import { untilInterrupted } from "../until-interrupted.ts";

interface BrokerOptions {
  readonly json: boolean;
  readonly port: number;
  readonly host: string;
}

/** `dormouse broker`: the embedded MQTT 5 broker on its own, for trying things out. */
export function registerBroker(program: Command, io: CliIo): void {
  program
    .command("broker")
    .description("Run the embedded MQTT 5 broker, for trying things out. Use mosquitto or a cluster in earnest.")
    .option("--port <n>", "TCP port; 0: any free one", wholeNumber(0, 65535), 1883)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse broker --port 1883")
    .action(async (options: BrokerOptions) => {
      const out = createOutput(io, options.json);
      const broker = await startBroker({ port: options.port, host: options.host });
      out.say(`Broker at ${broker.url}. Ctrl-C ends it.`);
      await untilInterrupted(io);
      const clients = broker.clients();
      await broker.close();
      out.say("Broker closed.");
      out.document({ url: broker.url, port: broker.port, clients });
    });
}
