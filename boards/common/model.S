/* The model image, as it lies in flash: read in place, 16-aligned. */
  .file "model.S"
  .section .model, "a"
  .balign 16
  .global dormouse_model, dormouse_model_end
dormouse_model:
  .incbin DORMOUSE_MODEL_FILE
dormouse_model_end:
  .balign 4
