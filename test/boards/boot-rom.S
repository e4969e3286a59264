/* What hal_flash_* takes from the RP2040's boot ROM (datasheet 2.8.3): the lookup, and flash functions that are a breakpoint each. */
  .syntax unified
  .cpu cortex-m0plus
  .thumb
  .text
  .org 0x14
  .hword table
  .hword 0
  .hword lookup + 1
  .balign 4
lookup: /* r0 the table, r1 the code */
  ldrh r2, [r0]
  cmp r2, #0
  beq 1f
  cmp r2, r1
  beq 2f
  adds r0, #4
  b lookup
1:
  movs r0, #0
  bx lr
2:
  ldrh r0, [r0, #2]
  bx lr

  .macro function number
flash_\number:
  bkpt \number
  bx lr
  .endm
  function 1
  function 2
  function 3
  function 4
  function 5
  function 6

  .macro entry code, number
  .ascii "\code"
  .hword flash_\number + 1
  .endm
  .balign 4
table:
  entry "IF", 1 /* connect_internal_flash */
  entry "EX", 2 /* flash_exit_xip */
  entry "RE", 3 /* flash_range_erase(at, bytes, block, command) */
  entry "RP", 4 /* flash_range_program(at, from, bytes) */
  entry "FC", 5 /* flash_flush_cache */
  entry "CX", 6 /* flash_enter_cmd_xip */
  .word 0
