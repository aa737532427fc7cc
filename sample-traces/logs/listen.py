"""Writes the syslog datagrams that come to a port of 127.0.0.1, one a line, until so many have come.

usage: listen.py PORT HOW_MANY
"""

import socket
import sys

port, num_datagrams = map(int, sys.argv[1:])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
    receiver.bind(("127.0.0.1", port))
    receiver.settimeout(10)
    for _ in range(num_datagrams):
        print(receiver.recv(65536).decode().rstrip("\n"))
