import { describe, expect, it } from "vitest";
import { packageFolders } from "../../../../host/firmware/package/gateway-bundle.ts";

describe("the packages whose licences a gateway's package carries", () => {
  it("lie below a clone", () => {
    const inputs = [
      "dist/gateway.js",
      "node_modules/mqtt/build/mqtt.js",
      "node_modules/mqtt/build/lib/client.js",
      "node_modules/@scope/a/index.js",
    ];
    expect(packageFolders(inputs, "/clone")).toEqual(["/clone/node_modules/@scope/a", "/clone/node_modules/mqtt"]);
  });

  it("lie beside an installed dormouse-edge, which is not one of them", () => {
    const inputs = [
      "dist/gateway.js",
      "../mqtt/build/mqtt.js",
      "../@scope/a/index.js",
      "node_modules/zod/index.js",
      "../b/node_modules/ws/lib/ws.js",
    ];
    expect(packageFolders(inputs, "/app/node_modules/dormouse-edge")).toEqual([
      "/app/node_modules/@scope/a",
      "/app/node_modules/b/node_modules/ws",
      "/app/node_modules/dormouse-edge/node_modules/zod",
      "/app/node_modules/mqtt",
    ]);
  });
});
