#!/usr/bin/env python3
"""An independent, minimal peer of protocol v3: plain Python and the `cryptography` package (Debian: python3-cryptography).

    peer.py server [--wrong-checksum N] [--cut STAGE[:TIMES]]… [--slices SEED] [--store DIR] …
    peer.py client --server 127.0.0.1:PORT --name NAME [--identity DIR] [--slices SEED] [--cut STAGE] … FILE…

Both print one line of JSON for each thing that happens. The server listens on a free port of the loopback, says which, and
ends when its standard input does.
"""

import argparse
import sys

import client
import server
import wire


def main():
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest="role", required=True)

    role = roles.add_parser("server")
    role.add_argument("--wrong-checksum", type=int, default=0, help="answer this many receipts with a wrong checksum")
    role.add_argument("--error", type=int, default=0, help="answer 1607 to the first packet of this many files")
    role.add_argument(
        "--cut",
        action="append",
        default=[],
        metavar="STAGE[:TIMES]",
        help="reset the connection at accept, register, registered, reconnect, key, half-reply, keyed, first-packet, "
        "middle, last-packet, receipt, right or acknowledged",
    )
    role.add_argument("--slices", type=int, help="write in slices of random sizes, by this seed")
    role.add_argument("--answer-resend", action="store_true", help="answer 1030 with 1604, as the old server does")
    role.add_argument("--close-after-refusal", action="store_true", help="close after 1606, as the old server does")
    role.add_argument("--store", help="write confirmed files into this folder")

    role = roles.add_parser("client")
    role.add_argument("--server", required=True)
    role.add_argument("--name", required=True)
    role.add_argument("--identity", help="folder of me.info and priv.key")
    role.add_argument("--file-name", help="send files under this name")
    role.add_argument("--packets", choices=("old", "random"), default="old")
    role.add_argument("--say-wrong", type=int, default=0, help="claim this many times that the checksum is wrong")
    role.add_argument("--give-up", action="store_true", help="answer receipts with 1031")
    role.add_argument("--cut", help="reset at connected, registered, keyed, first-packet, middle, last-packet, receipt or verdict")
    role.add_argument("--slices", type=int, help="write in slices of random sizes, by this seed")
    role.add_argument("files", nargs="*")

    role = roles.add_parser("cksum")
    role.add_argument("files", nargs="+")

    options = parser.parse_args()
    if options.role == "server":
        server.Server(options).run()
    elif options.role == "client":
        try:
            client.Client(options).run()
        except wire.Closed:
            client.say("closed")
            sys.exit(3)
    else:
        for path in options.files:
            with open(path, "rb") as file:
                print(wire.cksum(file.read()))


main()
