// Reads frames (DORMOUSE_CHANNELS int16 each, little-endian) from the serial port and prints a line a decision.
#include <dormouse.h>

static uint32_t tick = 0;

void setup() {
  Serial.begin(115200);
  if (dormouse_init() != 0) {
    for (;;) Serial.println("the model is not sound");
  }
}

void loop() {
  uint8_t bytes[2 * DORMOUSE_CHANNELS];
  int16_t frame[DORMOUSE_CHANNELS];
  dormouse_decision d;
  if (Serial.readBytes((char *)bytes, sizeof(bytes)) != sizeof(bytes)) return;
  for (int c = 0; c < DORMOUSE_CHANNELS; c++) frame[c] = (int16_t)(bytes[2 * c] | bytes[2 * c + 1] << 8);
  if (dormouse_step(frame, tick++, &d) & DORMOUSE_DECISION) {
    Serial.print(dormouse_label(d.label));
    Serial.print(' ');
    Serial.println(d.confidence_q15);
  }
}
