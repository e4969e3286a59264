// What the Arduino example calls, over standard input: it ends where the input ends.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>

struct SerialPort {
  void begin(unsigned long) {}
  int read() {
    const int byte = std::getchar();
    if (byte == EOF) std::exit(0);
    return byte;
  }
  void print(const char *text) { std::fputs(text, stdout); }
  void print(char one) { std::putchar(one); }
  void println(long number) { std::printf("%ld\n", number); }
};
static SerialPort Serial;
inline void delay(unsigned long) { std::exit(1); }

void setup();
void loop();
int main() {
  setup();
  for (;;) loop();
}
