"""The client's role: registers or reconnects, sends files, prints each receipt as a line of JSON."""

import json
import os
import random
import socket

from cryptography.hazmat.primitives import serialization

import wire


class Client:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.slices or 0)
        self.client_id = bytes(16)
        self.key = None
        self.line = None
        self.session_key = None

    def run(self):
        host, port = self.options.server.rsplit(":", 1)
        self.line = wire.Line(socket.create_connection((host, int(port)), 30), self.options.slices)
        self.cut("connected")
        self.enter()
        self.cut("keyed")
        for path in self.options.files:
            self.send(path)
        self.line.socket.close()

    def enter(self):
        identity = wire.load_identity(self.options.identity) if self.options.identity else None
        if identity is not None:
            _, self.client_id, self.key = identity
            self.line.request(self.client_id, wire.RECONNECT, wire.name_field(self.options.name))
            code, payload = self.line.read_reply()
            if code == wire.RECONNECTED:
                self.unwrap(payload)
                say("reconnected", id=self.client_id.hex())
                return
            say("refused", code=code)
        self.register()

    def register(self):
        options = self.options
        self.line.request(bytes(16), wire.REGISTER, wire.name_field(options.name))
        code, payload = self.line.read_reply()
        if code != wire.REGISTERED:
            say("not-registered", code=code)
            raise SystemExit(1)
        self.client_id = payload
        self.cut("registered")
        self.key = self.load_key() or wire.new_key()
        if options.identity:
            wire.save_identity(options.identity, options.name, self.client_id, self.key)
        self.line.request(self.client_id, wire.PUBLIC_KEY, wire.name_field(options.name) + wire.public_der(self.key))
        code, payload = self.line.read_reply()
        if code != wire.KEY_RECEIVED:
            say("no-key", code=code)
            raise SystemExit(1)
        self.unwrap(payload)
        say("registered", id=self.client_id.hex())

    def load_key(self):
        if not self.options.identity:
            return None
        try:
            with open(os.path.join(self.options.identity, "priv.key"), "rb") as file:
                return serialization.load_der_private_key(file.read(), None)
        except FileNotFoundError:
            return None

    def unwrap(self, payload):
        if payload[:16] != self.client_id:
            raise ValueError("a session key for another client")
        self.session_key = self.key.decrypt(payload[16:], wire.oaep())

    def send(self, path):
        with open(path, "rb") as file:
            plain = file.read()
        name = self.options.file_name or os.path.basename(path)
        field = wire.name_field(name)
        wrong_left = self.options.say_wrong
        while True:
            self.packets(plain, field)
            code, payload = self.line.read_reply()
            if code != wire.FILE_RECEIVED:
                say("not-received", file=name, code=code)
                return
            client_id, sealed_bytes, echoed, checksum = wire.RECEIPT.unpack(payload)
            right = checksum == wire.cksum(plain) and echoed == field and client_id == self.client_id
            say("receipt", file=name, cksum=checksum, sealed=sealed_bytes, right=right)
            self.cut("receipt")
            if wrong_left > 0:
                wrong_left -= 1
                self.line.request(self.client_id, wire.WRONG, field)
                continue
            verdict = wire.RIGHT if right and not self.options.give_up else wire.GIVE_UP
            self.line.request(self.client_id, verdict, field)
            self.cut("verdict")
            code, payload = self.line.read_reply()
            say("answered", file=name, code=code, verdict=verdict)
            return

    def packets(self, plain, field):
        sealed = wire.encrypt(self.session_key, plain)
        pieces = self.pieces(sealed, len(plain))
        for number, piece in enumerate(pieces, 1):
            header = wire.PACKET.pack(len(piece), len(plain), number, len(pieces), field)
            if number == (len(pieces) + 1) // 2 and self.options.cut == "middle":
                self.line.write(
                    wire.REQUEST.pack(self.client_id, wire.VERSION, wire.FILE, len(header) + len(piece)) + header[:100]
                )
                self.cut("middle")
            self.line.request(self.client_id, wire.FILE, header + piece)
            self.cut("first-packet")
        self.cut("last-packet")

    def pieces(self, sealed, plain_bytes):
        """The old client's packets, or with --packets random any that the protocol allows."""
        if self.options.packets == "random":
            pieces, at = [], 0
            while at < len(sealed):
                length = self.random.choice((1, 15, 16, 17, 1000, 65536))
                pieces.append(sealed[at : at + length])
                at += length
            return pieces
        size = max(1024, (plain_bytes + 15) // 16 * 16) if plain_bytes <= 60 * 1024 else 65536
        return [sealed[at : at + size] for at in range(0, len(sealed), size)]

    def cut(self, stage):
        if self.options.cut == stage:
            say("cut", stage=stage)
            self.line.cut()


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)
