#!/usr/bin/env python3
"""Runs a command, and fails if anything was sent to the X-Ray daemon's default port meanwhile.

A developer may have a daemon or `xray-local` there, which must see nothing of the project's tests and examples.

    .ci/quiet_port.py cargo test
"""

import pathlib
import socket
import subprocess
import sys
import threading
import time

PORT = 2000
seen = []


def listen(family, kind, address):
    """Opens a socket, and notes each datagram or connection. Fails if another program has the port."""
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, PORT))
    if kind == socket.SOCK_STREAM:
        listener.listen(128)
    threading.Thread(target=note, args=(listener, kind), daemon=True).start()


def note(listener, kind):
    while True:
        if kind == socket.SOCK_DGRAM:
            content, _ = listener.recvfrom(65536)
            seen.append(f"UDP: {content[:300]!r}")
        else:
            connection, client = listener.accept()
            connection.settimeout(1)
            try:
                content = connection.recv(300)
            except OSError:
                content = b""
            seen.append(f"TCP: {content!r} from {programs_with(client[1])}")
            connection.close()


def target(link):
    """Returns the target of a symbolic link, or nothing if a busy program has closed the file meanwhile."""
    try:
        return str(link.readlink())
    except OSError:
        return ""


def programs_with(port):
    """Returns the command lines of the programs that have a TCP socket on this port, as Linux lists them in `/proc`."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rsplit(":", 1)[1], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    programs = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if any(target(file) in sockets for file in (process / "fd").iterdir()):
                programs.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # The process has ended, or belongs to another user.
    return programs


for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    listen(socket.AF_INET, kind, "127.0.0.1")
    if socket.has_ipv6:
        try:
            listen(socket.AF_INET6, kind, "::1")
        except OSError as error:
            print(f"::1 is not watched: {error}", file=sys.stderr)

status = subprocess.run(sys.argv[1:]).returncode
# A datagram that was sent over the loopback interface is in the socket's buffer at once.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
    last.sendto(b"last", ("127.0.0.1", PORT))
while "UDP: b'last'" not in seen:
    time.sleep(0.01)
seen.remove("UDP: b'last'")
for item in seen[:20]:
    print(f"port {PORT} received {item}", file=sys.stderr)
if seen:
    print(f"port {PORT} received {len(seen)} messages, but tests and examples must not use the default port", file=sys.stderr)
sys.exit(status or bool(seen))
