"""Frames of a server, as RFC 6455 has them: not masked, and here never longer than 64 KiB."""
import struct


def first_frame(data):
    """The opcode and the payload of the first frame, and what follows it; None while it is not whole."""
    if len(data) < 2:
        return None
    size, start = data[1] & 127, 2
    if size == 126:
        if len(data) < 4:
            return None
        size, start = struct.unpack("!H", data[2:4])[0], 4
    if len(data) < start + size:
        return None
    return data[0] & 15, data[start:start + size], data[start + size:]
