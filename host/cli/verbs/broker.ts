import type { Command } from "commander";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { untilAborted } from "../../core/system/until-aborted.ts";
import { startBroker } from "../../mqtt/transport/broker.ts";
import { isLoopback } from "../../mqtt/transport/broker-url.ts";
import { METRICS } from "../../telemetry/catalogue.ts";
import { checkObserved, notesTo, type ObserveOptions, observe, openLogOption, withObservation } from "../common/observe.ts";
import { jsonOption, wholeNumber } from "../common/options.ts";

interface BrokerOptions extends ObserveOptions {
  readonly insecure: boolean;
  readonly json: boolean;
  readonly port: number;
  readonly host: string;
}

/** `dormouse broker`: the embedded MQTT 5 broker on its own, for trying things out. */
export function registerBroker(program: Command, io: CliIo): void {
  withObservation(program.command("broker"))
    .description("Run the embedded MQTT 5 broker, for development; use mosquitto or EMQX in production.")
    .option("--port <n>", "listen on this TCP port; 0: any free one", wholeNumber(0, 65535), 1883)
    .option("--host <address>", "listen on this address", "127.0.0.1")
    .option("--insecure", "allow an address beyond this machine: plain text, open to everyone", false)
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse broker --port 1883")
    .action(async (options: BrokerOptions, command: Command) => {
      checkObserved(command, options);
      const out = createOutput(io, options.json);
      if (!options.insecure && !isLoopback(options.host)) {
        throw new ConfigError(
          "BROKER_OPEN",
          `this broker has neither TLS nor users, and ${options.host} is reachable from other machines. Run mosquitto with dormouse provision --as broker, or add --insecure.`,
        );
      }
      const interrupted = untilAborted(io.interrupt);
      const broker = await startBroker({
        port: options.port,
        host: options.host,
        onAnomaly: ({ code, message }) => (log ? log.write("warn", "anomaly", { code, detail: message }) : out.note(`${code}: ${message}`)),
      });
      const who = { service: "dormouse-broker", instance: `${broker.host}:${broker.port}` };
      const log = openLogOption(io, options, who);
      let clients = 0;
      try {
        const telemetry = await observe(io, notesTo(out, log), options, who);
        telemetry.observe(METRICS.brokerClients, () => [{ value: broker.clients() }]);
        if (log) log.write("info", "listening", { url: broker.url });
        else out.say(`Broker at ${broker.url}. Ctrl-C ends it.`);
        await interrupted;
        clients = broker.clients();
        await telemetry.close();
      } finally {
        await broker.close(); // an open one keeps the process
      }
      if (log) log.write("info", "closed", { clients });
      else out.say("Broker closed.");
      out.document({ url: broker.url, port: broker.port, clients });
    });
}
