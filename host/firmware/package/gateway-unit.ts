import { RUNTIME_NODE } from "./runtime-package.ts";

/** Where the parts of a gateway image lie on the gateway. */
export interface GatewayPaths {
  readonly packageName: string;
  readonly root: string; // program, agent, wasm
  readonly config: string;
  readonly passwordFile: string; // of the broker, if the administrator creates it
  readonly unit: string;
  readonly unitName: string;
  readonly doc: string;
}

export function gatewayPaths(agent: string): GatewayPaths {
  const packageName = `dormouse-${agent}`;
  return {
    packageName,
    root: `/usr/lib/${packageName}`,
    config: `/etc/dormouse/${agent}.json`,
    passwordFile: `/etc/dormouse/${agent}.password`,
    unit: `/usr/lib/systemd/system/${packageName}.service`,
    unitName: `${packageName}.service`,
    doc: `/usr/share/doc/${packageName}`,
  };
}

/** Seconds without a sign of life after which systemd restarts the service. */
const WATCHDOG_SECONDS = 60;

/**
 * The hardened systemd unit. What it leaves open, and why: the network (MQTT), terminals (the device), executable memory (V8 compiles
 * WebAssembly, so MemoryDenyWriteExecute cannot be), /proc/sys (the outbox lock needs the boot id, so ProcSubset=pid cannot be).
 */
export function gatewayUnit(agent: string, paths: GatewayPaths, linkDevice: string | undefined): string {
  const devices = ["char-ttyUSB", "char-ttyACM", ...(linkDevice === undefined ? [] : [linkDevice])];
  return `[Unit]
Description=Dormouse gateway: the ${agent} agent
Documentation=file://${paths.doc}/README
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
# Messages come from systemd-notify, a child of the service.
NotifyAccess=all
# Says what is wrong before the service starts; a broker that is away is no reason.
ExecStartPre=${RUNTIME_NODE} --max-old-space-size=128 ${paths.root}/dist/gateway.js --agent ${agent} --config \${CREDENTIALS_DIRECTORY}/config --check
ExecStart=${RUNTIME_NODE} --max-old-space-size=128 ${paths.root}/dist/gateway.js --agent ${agent} --config \${CREDENTIALS_DIRECTORY}/config
LoadCredential=config:${paths.config}
Restart=on-failure
RestartSec=5
WatchdogSec=${WATCHDOG_SECONDS}
TimeoutStopSec=20
MemoryMax=512M
TasksMax=64

DynamicUser=yes
SupplementaryGroups=dialout
StateDirectory=${paths.packageName}
StateDirectoryMode=0700
UMask=0077

ProtectSystem=strict
ProtectHome=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
PrivateTmp=yes
PrivateMounts=yes
PrivateUsers=yes
PrivateIPC=yes
DevicePolicy=closed
${devices.map((device) => `DeviceAllow=${device} rw`).join("\n")}
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

[Install]
WantedBy=multi-user.target
`;
}

/**
 * Maintainer scripts, as debhelper's dh_installsystemd writes them: nothing is started without systemd, e.g. in a chroot.
 * A purge also takes what the service kept (identity, asks with a wearer's movements) and what an administrator added for it.
 */
export function gatewayScripts({ packageName, passwordFile, unitName }: GatewayPaths): Record<string, string> {
  const script = (body: string) => `#!/bin/sh\nset -e\n${body}exit 0\n`;
  return {
    postinst: script(`if [ "$1" = configure ]; then
  if command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper unmask ${unitName} >/dev/null || true
    if deb-systemd-helper --quiet was-enabled ${unitName}; then
      deb-systemd-helper enable ${unitName} >/dev/null || true
    fi
  fi
  if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    deb-systemd-invoke restart ${unitName} >/dev/null || true
  fi
fi
`),
    prerm: script(`if [ "$1" = remove ] && [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop ${unitName} >/dev/null || true
fi
`),
    postrm: script(`if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
  deb-systemd-helper purge ${unitName} >/dev/null || true
fi
if [ "$1" = purge ]; then
  rm -rf "$DPKG_ROOT/var/lib/${packageName}" "$DPKG_ROOT/var/lib/private/${packageName}"
  rm -rf "$DPKG_ROOT/etc/systemd/system/${unitName}.d" "$DPKG_ROOT${passwordFile}"
  rmdir "$DPKG_ROOT/etc/dormouse" 2>/dev/null || true
fi
`),
  };
}
