# SPDX-License-Identifier: Apache-2.0
"""Reading the framing format of Snappy."""

import struct


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _crc_table()
_STREAM = b"\xff\x06\x00\x00sNaPpY"


def _masked_crc32c(data: bytes) -> int:
    crc = 0xffffffff
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xff] ^ (crc >> 8)
    crc ^= 0xffffffff
    return (((crc >> 15) | (crc << 17)) + 0xa282ead8) & 0xffffffff


def _length(data: bytes) -> tuple[int, int]:
    """The varint in front, and how many bytes it takes."""
    value = shift = 0
    for i, byte in enumerate(data):
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, i + 1
        shift += 7
    raise ValueError("snappy: no length")


def _block(data: bytes) -> bytes:
    """One compressed block."""
    n_wanted, at = _length(data)
    out = bytearray()
    while at < len(data):
        tag, kind = data[at] >> 2, data[at] & 3
        if kind == 0:
            n_more = max(0, tag - 59)
            n = 1 + (int.from_bytes(data[at + 1:at + 1 + n_more], "little") if n_more else tag)
            out += data[at + 1 + n_more:at + 1 + n_more + n]
            at += 1 + n_more + n
            continue
        if kind == 1:
            n, n_offset, high = 4 + (tag & 7), 1, (tag >> 3) << 8
        else:
            n, n_offset, high = 1 + tag, 2 if kind == 2 else 4, 0
        offset = high | int.from_bytes(data[at + 1:at + 1 + n_offset], "little")
        if not 0 < offset <= len(out):
            raise ValueError("snappy: bad offset")
        for _ in range(n):
            out.append(out[-offset])
        at += 1 + n_offset
    if len(out) != n_wanted:
        raise ValueError("snappy: bad length")
    return bytes(out)


def unframe(data: bytes) -> bytes:
    """What a framed stream contains; ValueError if it is none."""
    if not data.startswith(_STREAM):
        raise ValueError("snappy: no stream header")
    out, at = bytearray(), len(_STREAM)
    while at < len(data):
        kind, n = data[at], int.from_bytes(data[at + 1:at + 4], "little")
        body = data[at + 4:at + 4 + n]
        if len(body) != n:
            raise ValueError("snappy: chunk cut off")
        at += 4 + n
        if kind in (0, 1):
            chunk = body[4:] if kind else _block(body[4:])
            if len(chunk) > 65536 or struct.unpack("<I", body[:4])[0] != _masked_crc32c(chunk):
                raise ValueError("snappy: bad chunk")
            out += chunk
        elif kind < 0x80:
            raise ValueError(f"snappy: unknown chunk {kind}")
    return bytes(out)
