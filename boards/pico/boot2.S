/*
 * The second stage that the boot ROM copies to RAM and runs: sets the flash interface up for plain serial reads (03h), which every
 * flash chip understands, and starts the program at +256. `build` puts the CRC-32 that the ROM checks into its last word.
 * Source: RP2040 datasheet 2.8.1.3, 4.10.
 */
  .file "boot2.S"
  .syntax unified
  .cpu cortex-m0plus
  .thumb
  .section .boot2, "ax"
  .global dormouse_boot2
dormouse_boot2:
  ldr r3, =0x18000000
  movs r1, #0
  str r1, [r3, #0x08]   // SSIENR: off
  movs r1, #4
  str r1, [r3, #0x14]   // BAUDR: clk_sys / 4
  ldr r1, =0x001f0300
  str r1, [r3, #0x00]   // CTRLR0: 32-bit frames, EEPROM read
  movs r1, #0
  str r1, [r3, #0x04]   // CTRLR1: one frame
  ldr r1, =0x03000218
  ldr r0, =0x180000f4
  str r1, [r0]          // SPI_CTRLR0: command 03h, 24-bit address
  movs r1, #1
  str r1, [r3, #0x08]   // SSIENR: on
  ldr r0, =0x10000100
  ldr r1, =0xe000ed08
  str r0, [r1]          // VTOR
  ldr r1, [r0]
  msr msp, r1
  ldr r1, [r0, #4]
  bx r1
  .ltorg
  .org 252, 0
  .word 0               // CRC-32, by build
