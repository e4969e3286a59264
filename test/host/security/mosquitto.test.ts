import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorker } from "../../../host/cloud/worker.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import { discoveryTopic } from "../../../host/mqtt/home-assistant/discovery.ts";
import type { AskOutcome } from "../../../host/mqtt/wire/ask.ts";
import { readIdentity } from "../../../host/security/identity.ts";
import { hasMosquitto } from "../../support/broker.ts";
import { echoProvider } from "../../support/echo-provider.ts";
import { query } from "../../support/query.ts";
import { requireAll } from "../../support/require.ts";
import { openTlsSite, type TlsSite } from "../../support/tls-site.ts";
import { until } from "../../support/until.ts";

const NOT_AUTHORIZED = 0x87;

describe.skipIf(!hasMosquitto() && !requireAll)(
  "mosquitto with the shipped configuration, TLS and client certificates (needs mosquitto)",
  () => {
    let site: TlsSite;
    let wrist1: string;
    let wrist2: string;
    let cloud: string;
    let operator: string;
    const topic = (rest: string) => `dormouse/v1/lab/${rest}`;

    beforeAll(async () => {
      site = await openTlsSite();
      wrist1 = await site.identity("node", "wrist-1");
      wrist2 = await site.identity("node", "wrist-2");
      cloud = await site.identity("cloud", "worker");
      operator = await site.identity("operator", "alice");
    });
    afterAll(() => site.close());

    it("refuses a device's publish on every topic of another device, and on those of its own that are not its to write", async () => {
      const spy = await site.connect(operator, "spy");
      expect(await spy.subscribe("dormouse/v1/#")).toBe(1);
      const thief = await site.connect(wrist1, "wrist-1");
      const foreign = [
        "wrist-2/state",
        "wrist-2/event/activity",
        "wrist-2/telemetry",
        "wrist-2/ask/activity",
        "wrist-2/answer",
        "wrist-2/command/reboot",
      ];
      const own = ["wrist-1/answer", "wrist-1/command/reboot", "wrist-1/ota/manifest"];
      for (const rest of [...foreign, ...own])
        expect([rest, await thief.publish(topic(rest), "stolen", true)]).toEqual([rest, NOT_AUTHORIZED]);
      for (const elsewhere of ["dormouse/v1/other/wrist-1/ask/activity", "dormouse/v1/lab/ask/activity", "$SYS/x", "x"])
        expect([elsewhere, await thief.publish(elsewhere, "stolen")]).not.toEqual([elsewhere, 0]);
      const allowed = ["wrist-1/state", "wrist-1/event/activity", "wrist-1/telemetry", "wrist-1/ask/activity"];
      for (const rest of allowed) expect([rest, await thief.publish(topic(rest), "mine")]).toEqual([rest, 0]);
      await until(() => spy.heard.length === allowed.length, "the operator saw what was allowed");
      expect(spy.heard).toEqual(allowed.map((rest) => `${topic(rest)}=mine`)); // and nothing else, retained or not
      spy.client.end(true);
      thief.client.end(true);
    });

    it("lets a reader hear what nodes tell and Home Assistant finds, by certificate or password, and send nothing", async () => {
      const folder = await site.identity("reader", "home");
      site.extend("passwords", readFileSync(join(folder, "passwords"), "utf8"));
      const password = readFileSync(join(folder, "password"), "utf8").trim();
      await expect(site.login("reader", `${password}x`, "guess")).rejects.toThrow(/Not authorized|closed/);
      await expect(site.login("operator", password, "guess")).rejects.toThrow(/Not authorized|closed/);
      const readers = [await site.connect(folder, "home-1"), await site.login("reader", password, "home-2")];
      for (const reader of readers) expect(await reader.subscribe("#")).toBe(1);

      const node = await site.connect(wrist1, "wrist-1");
      const discovery = (of: string) => discoveryTopic({ prefix: "homeassistant", site: "lab", node: of });
      const told = ["state", "availability", "label/activity", "event/activity", "telemetry", "update"].map((rest) =>
        topic(`wrist-1/${rest}`),
      );
      for (const one of [...told, discovery("wrist-1")]) expect([one, await node.publish(one, "told")]).toEqual([one, 0]);
      expect(await node.publish(discovery("wrist-2"), "stolen")).toBe(NOT_AUTHORIZED);
      expect(await node.publish(topic("wrist-1/ask/activity"), "movements")).toBe(0);
      const commander = await site.connect(operator, "alice");
      expect(await commander.publish(topic("wrist-1/command/reboot"), "signed")).toBe(0);
      expect(await node.publish(topic("wrist-1/telemetry"), "last")).toBe(0);
      for (const reader of readers) {
        await until(() => reader.heard.includes(`${topic("wrist-1/telemetry")}=last`), "the reader hears the last");
        expect(reader.heard).toEqual([
          ...[...told, discovery("wrist-1")].map((one) => `${one}=told`),
          `${topic("wrist-1/telemetry")}=last`,
        ]);
        const others = [topic("wrist-1/command/reboot"), topic("wrist-1/state"), discovery("wrist-1"), topic("wrist-1/answer")];
        const own = [topic("reader/state"), topic("reader/label/activity"), topic("reader/ask/activity"), discovery("reader")]; // of its user's name
        for (const one of [...others, ...own]) expect([one, await reader.publish(one, "mine", true)]).toEqual([one, NOT_AUTHORIZED]);
        reader.client.end(true);
      }
      node.client.end(true);
      commander.client.end(true);
    });

    it("lets a node announce itself to Home Assistant, hear what it announced and the birth message, and no other node's", async () => {
      const prefix = "homeassistant";
      const own = discoveryTopic({ prefix, site: "lab", node: "wrist-1" });
      const home = await site.connect(await site.identity("reader", "birth"), "birth", { clean: true });
      const [node, other] = [
        await site.connect(wrist1, "wrist-1", { clean: true }),
        await site.connect(wrist2, "wrist-2", { clean: true }),
      ];
      for (const one of [node, other]) await one.subscribe(`${prefix}/#`);
      const foreign = [
        discoveryTopic({ prefix, site: "lab", node: "wrist-2" }),
        `${prefix}/device/wrist-2/dormouse_lab_wrist-1/config`,
        `${prefix}/sensor/wrist-1/config`,
        `${prefix}/status`,
      ];
      for (const one of foreign) expect([one, await node.publish(one, "stolen", true)]).toEqual([one, NOT_AUTHORIZED]);
      expect(await node.publish(own, "mine", true)).toBe(0);
      expect(await home.publish(`${prefix}/status`, "online")).toBe(0);
      await until(() => node.heard.length === 2 && other.heard.length === 1, "both heard the birth message");
      expect([node.heard, other.heard]).toEqual([[`${own}=mine`, `${prefix}/status=online`], [`${prefix}/status=online`]]);
      expect(await node.publish(own, "", true)).toBe(0); // taken back
      for (const { client } of [home, node, other]) client.end(true);
    });

    it("brings a device nothing of another's, whatever it subscribes to: mosquitto 2.0 grants the filter and filters each delivery", async () => {
      const thief = await site.connect(wrist1, "wrist-1", { clean: true });
      for (const filter of ["dormouse/v1/lab/wrist-2/answer", "dormouse/v1/#", "#", "$share/cloud/dormouse/v1/+/+/ask/+"])
        await thief.subscribe(filter);
      const victim = await site.connect(wrist2, "wrist-2", { clean: true });
      await victim.subscribe(topic("wrist-2/answer"));
      await victim.subscribe(topic("wrist-2/command/+"));
      const worker = await site.connect(cloud, "worker");
      const boss = await site.connect(operator, "boss");
      expect(await worker.publish(topic("wrist-2/answer"), "secret")).toBe(0);
      expect(await boss.publish(topic("wrist-2/command/snapshot"), "order")).toBe(0);
      expect(await victim.publish(topic("wrist-2/ask/activity"), "window")).toBe(0);
      expect(await worker.publish(topic("wrist-1/answer"), "last")).toBe(0); // in order: what was forwarded before has arrived before
      await until(() => victim.heard.length === 2 && thief.heard.length > 0, "both heard what is theirs");
      expect(victim.heard).toEqual([`${topic("wrist-2/answer")}=secret`, `${topic("wrist-2/command/snapshot")}=order`]);
      expect(new Set(thief.heard)).toEqual(new Set([`${topic("wrist-1/answer")}=last`])); // its own alone
      for (const { client } of [thief, victim, worker, boss]) client.end(true);
    });

    it("does not publish a device's will on another device's topic", async () => {
      const spy = await site.connect(operator, "spy", { clean: true });
      await spy.subscribe("dormouse/v1/lab/+/state");
      const will = (rest: string) => ({ will: { topic: topic(rest), payload: Buffer.from("offline"), qos: 1 as const, retain: false } });
      const thief = await site.connect(wrist1, "wrist-1", {
        clean: true,
        properties: { sessionExpiryInterval: 0 },
        ...will("wrist-2/state"),
      });
      thief.client.stream.destroy();
      const honest = await site.connect(wrist2, "wrist-2", {
        clean: true,
        properties: { sessionExpiryInterval: 0 },
        ...will("wrist-2/state"),
      });
      honest.client.stream.destroy();
      await until(() => spy.heard.length > 0, "the honest will came");
      expect(spy.heard).toEqual([`${topic("wrist-2/state")}=offline`]);
      spy.client.end(true);
    });

    it("keeps a device's session from another that connects with its client id", async () => {
      const victim = await site.connect(wrist2, "wrist-2", { clean: true });
      await victim.subscribe(topic("wrist-2/answer"));
      victim.client.end(true);
      const thief = await site.connect(wrist1, "wrist-2");
      await thief.subscribe("dormouse/v1/#");
      const worker = await site.connect(cloud, "worker");
      expect(await worker.publish(topic("wrist-2/answer"), "while it slept")).toBe(0);
      const back = await site.connect(wrist2, "wrist-2");
      expect(back.sessionPresent).toBe(true);
      await until(() => back.heard.length === 1, "the queued answer came");
      expect(back.heard).toEqual([`${topic("wrist-2/answer")}=while it slept`]);
      expect(thief.heard).toEqual([]);
      for (const { client } of [thief, worker, back]) client.end(true);
    });

    it("lets neither a device's certificate through the workers' door, nor a worker's through the devices', nor nobody", async () => {
      await expect(site.connect(wrist1, "x", { url: site.cloudUrl })).rejects.toThrow();
      await expect(site.connect(cloud, "x", { url: site.devicesUrl })).rejects.toThrow();
      await expect(site.connect(wrist1, "x", { cert: "", key: "" })).rejects.toThrow();
      const stranger = await openTlsSite("lab"); // another authority, the same names
      try {
        const impostor = await stranger.identity("node", "wrist-1");
        await expect(site.connect(impostor, "wrist-1", { ca: readIdentity(wrist1).tls.ca })).rejects.toThrow();
        await expect(site.connect(wrist1, "wrist-1", { url: stranger.devicesUrl })).rejects.toThrow(); // and the device refuses a strange broker
      } finally {
        await stranger.close();
      }
    });

    it("lets a worker write answers alone, and an operator commands", async () => {
      const worker = await site.connect(cloud, "worker");
      const boss = await site.connect(operator, "boss");
      expect(await worker.publish(topic("wrist-1/command/reboot"), "x")).toBe(NOT_AUTHORIZED);
      expect(await worker.publish(topic("wrist-1/ask/activity"), "x")).toBe(NOT_AUTHORIZED);
      expect(await boss.publish(topic("wrist-1/answer"), "x")).toBe(NOT_AUTHORIZED);
      expect(await boss.publish("dormouse/v1/other/wrist-1/command/reboot", "x")).toBe(NOT_AUTHORIZED);
      worker.client.end(true);
      boss.client.end(true);
    });

    it("carries asks and answers between our own device and worker", async () => {
      const outcomes: AskOutcome[] = [];
      const { tls, group } = readIdentity(cloud);
      const worker = startWorker({ broker: { url: site.cloudUrl, ...tls }, group, provider: echoProvider() });
      expect(await worker.ready(8000)).toBe(true);
      const asker = createAsker({
        broker: { url: site.devicesUrl, ...readIdentity(wrist1).tls },
        ...{ site: "lab", node: "wrist-1", events: { onOutcome: (outcome: AskOutcome) => outcomes.push(outcome) } },
      });
      for (let n = 0; n < 20; n++) asker.ask(query(n));
      await until(() => outcomes.length === 20, "all asks have ended");
      expect(outcomes.map(({ state }) => state)).toEqual(new Array(20).fill("answered"));
      expect(worker.subscription).toBe("shared");
      await asker.close();
      await worker.close();
    });

    it("a device joins a shared group and all filters it can think of → the worker gets every ask at once, none is sent twice", async () => {
      const rogue = await site.connect(wrist2, "wrist-2", { clean: true });
      for (const filter of [
        "$share/cloud/dormouse/v1/+/+/ask/+",
        "$share/cloud/#",
        "$share/x/dormouse/v1/lab/+/ask/+",
        "dormouse/v1/+/+/ask/+",
      ])
        await rogue.subscribe(filter);
      const { tls, group } = readIdentity(cloud);
      const worker = startWorker({ broker: { url: site.cloudUrl, ...tls }, group, provider: echoProvider() });
      expect(await worker.ready(8000)).toBe(true);
      const outcomes: AskOutcome[] = [];
      const asker = createAsker({
        broker: { url: site.devicesUrl, ...readIdentity(wrist1).tls },
        ...{ site: "lab", node: "wrist-1", events: { onOutcome: (outcome: AskOutcome) => outcomes.push(outcome) } },
        retry: { firstMillis: 600_000, maxMillis: 600_000 }, // an ask that is dealt to the rogue stays away
      });
      for (let n = 0; n < 20; n++) asker.ask(query(n));
      await until(() => outcomes.length === 20, "all asks have ended");
      expect(outcomes.map(({ state }) => state)).toEqual(new Array(20).fill("answered"));
      expect(asker.stats().resends).toBe(0);
      expect(rogue.heard).toEqual([]);
      rogue.client.end(true);
      await asker.close();
      await worker.close();
    });

    it("shuts a lost device out by two lines in the access list, read again on SIGHUP", async () => {
      const lost = await site.connect(await site.identity("node", "wrist-9"), "wrist-9");
      expect(await lost.publish(topic("wrist-9/state"), "here")).toBe(0);
      site.extend("acl", "\nuser wrist-9\ntopic deny #\n");
      let code = 0;
      for (let tries = 0; code === 0 && tries < 200; tries++) code = await lost.publish(topic("wrist-9/state"), "still here");
      expect(code).toBe(NOT_AUTHORIZED);
      expect(await (await site.connect(wrist1, "wrist-1")).publish(topic("wrist-1/state"), "here")).toBe(0);
      lost.client.end(true);
    });

    it("drops a client that sends more than a packet's limit, and takes the largest ask", async () => {
      const device = await site.connect(wrist2, "wrist-2");
      expect(await device.publish(topic("wrist-2/ask/activity"), Buffer.alloc(131_072))).toBe(0);
      const dropped = new Promise((resolve) => device.client.once("close", () => resolve(true)));
      device.client.stream.write(Buffer.concat([Buffer.of(0x30, 0x80, 0x80, 0x80, 0x01), Buffer.alloc(200_000)]));
      expect(await dropped).toBe(true);
    });

    it("keeps retained presence and a sleeping device's answers through a restart of the broker", async () => {
      const wrist3 = await site.identity("node", "wrist-3");
      const device = await site.connect(wrist3, "wrist-3"); // not clean: mosquitto 2.0 writes no session to disk that began with a clean start
      await device.subscribe(topic("wrist-3/answer"));
      await device.publish(topic("wrist-3/state"), "asleep", true);
      await new Promise<void>((resolve) => device.client.end(false, {}, () => resolve()));
      const worker = await site.connect(cloud, "worker", { clean: true });
      for (let n = 0; n < 1500; n++) worker.client.publish(topic("wrist-3/answer"), `answer ${n}`, { qos: 1 }); // beyond the stock limit of 1,000
      await new Promise<void>((resolve) => worker.client.end(false, {}, () => resolve()));
      await site.kill("SIGTERM");
      await site.start();
      const spy = await site.connect(operator, "spy", { clean: true });
      await spy.subscribe(topic("wrist-3/state"));
      const back = await site.connect(wrist3, "wrist-3");
      expect(back.sessionPresent).toBe(true);
      await until(() => back.heard.length === 1500 && spy.heard.length === 1, "the queued answers came");
      expect(new Set(back.heard).size).toBe(1500);
      expect(spy.heard).toEqual([`${topic("wrist-3/state")}=asleep`]);
      back.client.end(true);
      spy.client.end(true);
    });
  },
);
