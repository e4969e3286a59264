/* The header of an empty store of this board's shape: the device writes it where flash does not have it yet. */
  .file "store.S"
  .section .rodata.store_header, "a"
  .balign 16
  .global dormouse_store_header
dormouse_store_header:
  .incbin DORMOUSE_STORE_FILE
