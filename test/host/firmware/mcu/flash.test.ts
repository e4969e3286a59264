import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { crc32Mpeg2 } from "../../../../host/firmware/mcu/image/boot2.ts";
import { writeIntelHex } from "../../../../host/firmware/mcu/image/intel-hex.ts";
import { writeUf2 } from "../../../../host/firmware/mcu/image/uf2.ts";
import { type CliRun, cli } from "../../cli/fake-io.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-flash-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const drive = join(folder, "drive");
const file = join(folder, "activity-pico.uf2");
const program = new Uint8Array(2000).fill(7);
new DataView(program.buffer).setUint32(252, crc32Mpeg2(program.subarray(0, 252)), true); // as the boot ROM wants it
const bytes = writeUf2([{ address: 0x10000000, bytes: program }], "rp2040");

function makeDrive(boardId: string): void {
  rmSync(drive, { recursive: true, force: true });
  mkdirSync(drive);
  writeFileSync(join(drive, "INFO_UF2.TXT"), `UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: ${boardId}\n`);
}

const flash = (...args: string[]): Promise<CliRun> => cli(["flash", ...args, "--json"], { cwd: folder });

beforeEach(() => {
  makeDrive("RPI-RP2");
  writeFileSync(file, bytes);
});

describe("flash to a UF2 drive", () => {
  it("copies a file of the board's chip to the board's drive", async () => {
    const { code, stdout } = await flash(file, "--board", "pico", "--drive", drive);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ method: "uf2", boardId: "RPI-RP2", bytes: bytes.length, isDryRun: false });
    expect(new Uint8Array(readFileSync(join(drive, "activity-pico.uf2")))).toEqual(bytes);
  });

  it("writes nothing on a dry run", async () => {
    expect((await flash(file, "--board", "pico", "--drive", drive, "--dry-run")).code).toBe(0);
    expect(existsSync(join(drive, "activity-pico.uf2"))).toBe(false);
  });

  it("refuses a folder that is no UF2 drive", async () => {
    rmSync(join(drive, "INFO_UF2.TXT"));
    expect((await flash(file, "--board", "pico", "--drive", drive)).stderr).toMatch(
      /is no UF2 drive: it has no INFO_UF2\.TXT\. Hold BOOTSEL/,
    );
  });

  it("refuses another board's drive", async () => {
    makeDrive("nRF52840-Feather-revD");
    expect((await flash(file, "--board", "pico", "--drive", drive)).stderr).toMatch(/is a nRF52840-Feather-revD, the pico shows RPI-RP2/);
  });

  it("refuses a file for another chip", async () => {
    writeFileSync(file, writeUf2([{ address: 0x10000000, bytes: new Uint8Array(300) }], "nrf52840"));
    expect((await flash(file, "--board", "pico", "--drive", drive)).stderr).toMatch(/for family 0xada52840, the pico takes 0xe48bff56/);
    const hex = join(folder, "other.hex");
    writeFileSync(hex, writeIntelHex([{ address: 0x08000000, bytes: new Uint8Array(16) }], 0x08000000));
    expect((await flash(hex, "--board", "nrf52840-dk", "--dry-run")).stderr).toMatch(
      /bytes at 0x8000000, outside the flash of nrf52840-dk/,
    );
  });

  it("refuses a file that was cut short", async () => {
    writeFileSync(file, bytes.subarray(0, bytes.length - 512));
    expect((await flash(file, "--board", "pico", "--drive", drive)).stderr).toMatch(/no whole UF2 file/);
  });

  it("refuses a drive on which an earlier copy was cut short", async () => {
    writeFileSync(join(drive, "firmware-old.uf2"), bytes.subarray(0, 1024));
    writeFileSync(join(drive, "CURRENT.UF2"), "what the boot loader shows of its flash");
    expect((await flash(file, "--board", "pico", "--drive", drive)).stderr).toMatch(
      /an earlier copy .* was cut short \(firmware-old\.uf2\).*Unplug/,
    );
  });
});

describe("flash of a file that would not run", () => {
  const refusal = async (name: string, contents: Uint8Array | string, board = "pico") => {
    writeFileSync(join(folder, name), contents);
    const { code, stdout } = await flash(
      join(folder, name),
      "--board",
      board,
      ...(name.endsWith(".uf2") ? ["--drive", drive] : ["--dry-run"]),
    );
    expect(existsSync(join(drive, name))).toBe(false);
    return code === 0 ? undefined : (JSON.parse(stdout) as { error: { code: string } }).error.code;
  };
  const hexOf = (address: number, length: number) => writeIntelHex([{ address, bytes: new Uint8Array(length) }], address);

  it("refuses two blocks for one address", async () => {
    const doubled = bytes.slice();
    doubled.copyWithin(512 + 12, 12, 16);
    expect(await refusal("doubled.uf2", doubled)).toBe("FLASH_DOUBLED");
    const twice = [
      { address: 0x08000000, bytes: new Uint8Array(32) },
      { address: 0x08000010, bytes: new Uint8Array(32) },
    ];
    expect(await refusal("doubled.hex", writeIntelHex(twice, 0x08000000), "feather-stm32f405")).toBe("FLASH_DOUBLED");
  });

  it("refuses a second stage whose checksum differs, or that is missing", async () => {
    const broken = bytes.slice();
    broken[32 + 100]! ^= 1;
    expect(await refusal("broken.uf2", broken)).toBe("FLASH_BOOT2");
    expect(await refusal("later.uf2", writeUf2([{ address: 0x10000100, bytes: program }], "rp2040"))).toBe("FLASH_BOOT2");
  });

  it("refuses bytes in the store", async () => {
    const parts = [
      { address: 0x10000000, bytes: program },
      { address: 0x10180000, bytes: new Uint8Array(256) },
    ];
    expect(await refusal("stored.uf2", writeUf2(parts, "rp2040"))).toBe("FLASH_IN_STORE");
    expect(await refusal("stored.hex", hexOf(0x08020000 - 16, 32), "feather-stm32f405")).toBe("FLASH_IN_STORE");
    expect(await refusal("below.hex", hexOf(0x08020000 - 32, 32), "feather-stm32f405")).toBeUndefined();
    expect(await refusal("long.bin", new Uint8Array(128 * 1024 + 1), "feather-stm32f405")).toBe("FLASH_IN_STORE");
  });
});

describe("flash with a tool", () => {
  it("shows the command line of the board's own method on a dry run", async () => {
    const hex = join(folder, "activity.hex");
    writeFileSync(hex, writeIntelHex([{ address: 0x08000000, bytes: new Uint8Array(16) }], 0x08000000));
    const { code, stdout } = await flash(hex, "--board", "feather-stm32f405", "--dry-run");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).command).toMatch(
      /^openocd -f interface\/stlink\.cfg -f target\/stm32f4x\.cfg -c 'program \{.*activity\.hex\} verify reset exit'$/,
    );
  });

  it("refuses a kind of file that no method takes", async () => {
    const bin = join(folder, "x.bin");
    writeFileSync(bin, new Uint8Array(16));
    expect((await flash(bin, "--board", "nucleo-u575", "--dry-run")).stderr).toMatch(/its methods are openocd \(\.elf or \.hex\)/);
  });
});
