import { registerBuild } from "../verbs/build.ts";
import { registerEmulate } from "../verbs/emulate.ts";
import { registerFits } from "../verbs/fits.ts";
import { registerFlash } from "../verbs/flash.ts";
import { registerMonitor } from "../verbs/monitor.ts";

/** The verbs below "Put on a device", in the help's order. */
export const registers = [registerFits, registerBuild, registerFlash, registerEmulate, registerMonitor];
