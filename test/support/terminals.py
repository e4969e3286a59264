"""Two pseudo-terminals for a test: a device's serial port, which plays a file of link bytes at the pace of its frames, and the terminal
of a program that reads it, whose keys are pressed when the terminal shows what they wait for.

  terminals.py FRAMES.dls BYTES_PER_SECOND '[["shown text", "key"], …]' PROGRAM ARGUMENT…

The word {port} in an argument is the serial port. Ends with the program's exit code; its terminal's output goes to stdout.
"""

import json
import os
import pty
import select
import sys
import time
import tty

path, rate, presses, *command = sys.argv[1:]
frames = open(path, "rb").read()
port, slave = pty.openpty()
tty.setraw(slave)
command = [word.replace("{port}", os.ttyname(slave)) for word in command]
steps = json.loads(presses)

child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="xterm", NO_COLOR="1")
    os.execvp(command[0], command)

began = None  # when the program's first output came
sent = 0
shown = b""  # since the last key
while True:
    ready, _, _ = select.select([terminal, port], [], [], 0.01)
    if terminal in ready:
        try:
            output = os.read(terminal, 65536)
        except OSError:  # the program has ended
            break
        if not output:
            break
        began = began or time.monotonic()
        os.write(1, output)
        shown += output
        while steps and steps[0][0].encode() in shown:
            os.write(terminal, steps.pop(0)[1].encode())
            shown = b""
    if port in ready:
        os.read(port, 65536)
    if began is None:
        continue
    elapsed = time.monotonic() - began
    due = min(len(frames), int(elapsed * float(rate)))
    if due > sent:
        sent += os.write(port, frames[sent:due])
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
