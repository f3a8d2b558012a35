"""The server's role: answers one thread per connection, keeps everything in memory, prints what happens as lines of JSON."""

import json
import os
import socket
import sys
import threading

import wire


class Server:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.clients = {}
        self.wrong_left = options.wrong_checksum
        self.errors_left = options.error
        self.cuts = {}
        for cut in options.cut:
            stage, _, times = cut.partition(":")
            self.cuts[stage] = int(times or 1)

    def run(self):
        listener = socket.create_server(("127.0.0.1", 0))
        print(json.dumps({"event": "listening", "port": listener.getsockname()[1]}), flush=True)
        # Whoever started this holds its standard input: when that ends, so does this.
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        sys.stdin.buffer.read()

    def _accept(self, listener):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        line = wire.Line(connection, self.options.slices)
        self.say("connected")
        try:
            self.cut(line, "accept")
            Session(self, line).run()
        except wire.Closed:
            self.say("closed")
        except OSError as error:
            self.say("closed", reason=str(error))
        finally:
            connection.close()

    def cut(self, line, stage):
        if self.count_down(self.cuts, stage):
            self.say("cut", stage=stage)
            line.cut()

    def count_down(self, counts, key):
        with self.lock:
            left = counts.get(key, 0)
            counts[key] = max(0, left - 1)
            return left > 0

    def say(self, event, **fields):
        with self.lock:
            print(json.dumps({"event": event, **fields}), flush=True)


class Session:
    def __init__(self, server, line):
        self.server = server
        self.line = line
        self.session_key = None
        self.parts = []
        self.files = {}

    def run(self):
        while True:
            client_id, version, code, length = self.line.read_request()
            expected = {wire.PUBLIC_KEY: (415, 417)}.get(code, (255,))
            if version != wire.VERSION or (code != wire.FILE and length not in expected):
                self.line.reply(wire.ERROR)
                return
            payload = self.line.read(length)
            if not self.answer(client_id, code, payload):
                return

    def answer(self, client_id, code, payload):
        server, line = self.server, self.line
        if code == wire.REGISTER:
            name = wire.name_in(payload)
            server.cut(line, "register")
            if any(client["name"] == name for client in server.clients.values()):
                line.reply(wire.NAME_TAKEN)
                return True
            client_id = os.urandom(16)
            server.clients[client_id] = {"name": name, "key": None}
            server.say("registered", name=name, id=client_id.hex())
            line.reply(wire.REGISTERED, client_id)
            server.cut(line, "registered")
            return True
        if code == wire.RECONNECT:
            server.cut(line, "reconnect")
            client = server.clients.get(client_id)
            if client is None or client["key"] is None or client["name"] != wire.name_in(payload):
                server.say("refused", id=client_id.hex())
                line.reply(wire.REFUSED, client_id)
                return not server.options.close_after_refusal
            server.say("reconnected", id=client_id.hex())
            self.give_key(wire.RECONNECTED, client_id, client["key"])
            return True
        client = server.clients.get(client_id)
        if client is None:
            line.reply(wire.ERROR)
            return False
        if code == wire.PUBLIC_KEY:
            server.cut(line, "key")
            client["key"] = payload[255:]
            server.say("key", bytes=len(client["key"]), name=wire.name_in(payload[:255]))
            self.give_key(wire.KEY_RECEIVED, client_id, client["key"])
        elif code == wire.FILE:
            return self.packet(client_id, payload)
        elif code == wire.RIGHT:
            server.cut(line, "right")
            self.settle("right", wire.name_in(payload))
            line.reply(wire.ACKNOWLEDGED, client_id)
            server.cut(line, "acknowledged")
        elif code == wire.WRONG:
            server.say("wrong", file=wire.name_in(payload))
            if server.options.answer_resend:
                line.reply(wire.ACKNOWLEDGED, client_id)
        elif code == wire.GIVE_UP:
            self.settle("given-up", wire.name_in(payload))
            line.reply(wire.ACKNOWLEDGED, client_id)
        else:
            line.reply(wire.ERROR)
        return True

    def give_key(self, code, client_id, spki):
        self.session_key = os.urandom(32)
        reply = client_id + wire.wrap_session_key(spki, self.session_key)
        if self.server.count_down(self.server.cuts, "half-reply"):
            self.server.say("cut", stage="half-reply")
            self.line.write(wire.REPLY.pack(wire.VERSION, code, len(reply)) + reply[:50])
            self.line.cut()
        self.line.reply(code, reply)
        self.server.cut(self.line, "keyed")

    def packet(self, client_id, payload):
        server, line = self.server, self.line
        length, size, number, total, field = wire.PACKET.unpack(payload[: wire.PACKET.size])
        content = payload[wire.PACKET.size :]
        if number == 1:
            self.parts = []
            server.cut(line, "first-packet")
            if server.errors_left > 0:
                server.errors_left -= 1
                server.say("error-sent")
                line.reply(wire.ERROR)
        if number == (total + 1) // 2:
            server.cut(line, "middle")
        if len(content) != length or length == 0 or number != len(self.parts) + 1 or number > total:
            server.say("bad-packet", number=number, total=total)
            line.reply(wire.ERROR)
            return True
        self.parts.append(content)
        if number < total:
            return True
        server.cut(line, "last-packet")
        sealed = b"".join(self.parts)
        plain = wire.decrypt(self.session_key, sealed)
        name = wire.name_in(field)
        if len(plain) != size:
            line.reply(wire.ERROR)
            return True
        checksum = wire.cksum(plain)
        if server.wrong_left > 0:
            server.wrong_left -= 1
            checksum ^= 1
        self.files[name] = plain
        server.say("received", file=name, bytes=len(plain), sealed=len(sealed), packets=total, cksum=checksum)
        line.reply(wire.FILE_RECEIVED, wire.RECEIPT.pack(client_id, len(sealed), field, checksum))
        server.cut(line, "receipt")
        return True

    def settle(self, event, name):
        plain = self.files.pop(name, None)
        if plain is not None and event == "right" and self.server.options.store:
            with open(os.path.join(self.server.options.store, name), "wb") as file:
                file.write(plain)
        self.server.say(event, file=name, known=plain is not None)
