// Reads frames (dormouse_frames.h) from the serial port and prints a line per decision.
#include <dormouse_frames.h>

static dormouse_receiver receiver;

void setup() {
  Serial.begin(115200);
  int status = dormouse_init();
  while (status != 0) {
    Serial.print("the model is not sound: status ");
    Serial.println(status);
    delay(1000);
  }
}

void loop() {
  int16_t frame[DORMOUSE_CHANNELS];
  dormouse_decision d;
  int byte = Serial.read();
  if (byte < 0 || !dormouse_receive(&receiver, (uint8_t)byte, frame)) return;
  if (dormouse_step(frame, receiver.tick, &d) & DORMOUSE_DECISION) {
    Serial.print(dormouse_label(d.label));
    Serial.print(' ');
    Serial.println((long)d.confidence_q15);
  }
}
