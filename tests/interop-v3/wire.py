"""Frames, keys and checksum of protocol v3 for the independent peer: written from the protocol's description alone.

It shares nothing with src/ on purpose. Integers are little-endian and unsigned.
"""

import base64
import os
import random
import socket
import struct
from math import gcd

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

VERSION = 3
REGISTER, PUBLIC_KEY, RECONNECT, FILE, RIGHT, WRONG, GIVE_UP = range(1025, 1032)
REGISTERED, NAME_TAKEN, KEY_RECEIVED, FILE_RECEIVED, ACKNOWLEDGED, RECONNECTED, REFUSED, ERROR = range(1600, 1608)
NAME_BYTES = 255

REQUEST = struct.Struct("<16sBHI")
REPLY = struct.Struct("<BHI")
PACKET = struct.Struct("<IIHH255s")
RECEIPT = struct.Struct("<16sI255sI")


class Closed(Exception):
    """The other side closed the connection, or this one was told to cut it."""


class Line:
    """A connection that reads exact lengths, and that may write in slices of random sizes."""

    def __init__(self, connection, slices=None):
        self.socket = connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(30)
        self.random = None if slices is None else random.Random(slices)

    def read(self, length):
        parts = []
        while length > 0:
            try:
                part = self.socket.recv(min(length, 1 << 20))
            except ConnectionError as error:
                raise Closed() from error
            if not part:
                raise Closed()
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def write(self, data):
        try:
            if self.random is None:
                self.socket.sendall(data)
                return
            at = 0
            while at < len(data):
                length = self.random.choice((1, 2, 3, 7, 22, 23, 24, 100, 5000, 70000))
                self.socket.sendall(data[at : at + length])
                at += length
        except ConnectionError as error:
            raise Closed() from error

    def cut(self):
        """Ends the connection with a reset: whatever is on its way is lost."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        raise Closed()

    def request(self, client_id, code, payload):
        self.write(REQUEST.pack(client_id, VERSION, code, len(payload)) + payload)

    def reply(self, code, payload=b""):
        self.write(REPLY.pack(VERSION, code, len(payload)) + payload)

    def read_request(self):
        client_id, version, code, length = REQUEST.unpack(self.read(REQUEST.size))
        return client_id, version, code, length

    def read_reply(self):
        version, code, length = REPLY.unpack(self.read(REPLY.size))
        if version != VERSION:
            raise ValueError(f"a reply of version {version}")
        return code, self.read(length)


def name_field(name):
    encoded = name.encode()
    if not 0 < len(encoded) < NAME_BYTES:
        raise ValueError("a name of 1 to 254 bytes is needed")
    return encoded.ljust(NAME_BYTES, b"\0")


def name_in(field):
    if b"\0" not in field:
        raise ValueError("a name without its NUL")
    return field.split(b"\0", 1)[0].decode()


# Keys ------------------------------------------------------------------------------------------------------------


def new_key():
    """1024 bits with exponent 17: the library only makes 65537, so its primes get another exponent."""
    while True:
        primes = rsa.generate_private_key(public_exponent=65537, key_size=1024).private_numbers()
        p, q = primes.p, primes.q
        phi = (p - 1) * (q - 1)
        if gcd(17, phi) == 1:
            d = pow(17, -1, phi)
            public = rsa.RSAPublicNumbers(17, p * q)
            parts = (p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p))
            return rsa.RSAPrivateNumbers(*parts, public).private_key()


def public_der(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_der(key):
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def oaep():
    return padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


def wrap_session_key(spki, session_key):
    return serialization.load_der_public_key(spki).encrypt(session_key, oaep())


def encrypt(session_key, plain):
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(session_key), modes.CBC(bytes(16))).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def decrypt(session_key, sealed):
    decryptor = Cipher(algorithms.AES(session_key), modes.CBC(bytes(16))).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()


# The old client's files ------------------------------------------------------------------------------------------


def save_identity(folder, name, client_id, key):
    with open(os.path.join(folder, "priv.key"), "wb") as file:
        file.write(private_der(key))
    with open(os.path.join(folder, "me.info"), "w", encoding="utf-8", newline="\n") as file:
        file.write(f"{name}\n{client_id.hex()}\n{base64.b64encode(private_der(key)).decode()}\n")


def load_identity(folder):
    try:
        with open(os.path.join(folder, "me.info"), encoding="utf-8") as file:
            name, client_id, key = file.read().splitlines()[:3]
    except FileNotFoundError:
        return None
    return name, bytes.fromhex(client_id), serialization.load_der_private_key(base64.b64decode(key), None)


# Checksum --------------------------------------------------------------------------------------------------------


def _table():
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x104C11DB7 if value & 0x80000000 else 0)
        table.append(value)
    return table


_TABLE = _table()


def cksum(data):
    """As the POSIX program: the bytes, then the length's bytes from the lowest on, then the complement."""
    value = 0
    for byte in data:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ byte]
    length = len(data)
    while length:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ (length & 255)]
        length >>= 8
    return value ^ 0xFFFFFFFF
