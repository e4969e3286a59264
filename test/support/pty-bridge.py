"""A serial port for a device that is a TCP server: pty-bridge.py PORT PATH makes a pseudo-terminal, PATH leads to it, bytes go both ways.
Ends, and the port with it, when the device closes or the process is stopped."""

import os
import pty
import select
import signal
import socket
import sys
import tty

device = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
port, slave = pty.openpty()
tty.setraw(slave)
os.symlink(os.ttyname(slave), sys.argv[2])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    print("open", flush=True)
    while True:
        for ready in select.select([device, port], [], [])[0]:
            bytes_read = device.recv(4096) if ready is device else os.read(port, 4096)
            if not bytes_read:
                sys.exit(0)
            if ready is device:
                os.write(port, bytes_read)
            else:
                device.sendall(bytes_read)
finally:
    os.unlink(sys.argv[2])
