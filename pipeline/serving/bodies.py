"""What a request's body is once it is unpacked, and never more than is allowed."""

from __future__ import annotations

import zlib
from typing import Final

from pipeline.serving.refusal import TOO_BIG, Refusal, malformed

_GZIP: Final = 16 + zlib.MAX_WBITS
_MEMBERS: Final = 16
"""Of a gzip body: some programs write several, one behind another."""


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """The body of a `Content-Encoding`: identity, gzip or deflate.

    A bomb costs `limit` bytes and no more. Raises Refusal: 413 above the limit, 415 for another encoding, 400 for what
    is damaged or cut short.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _inflated(body, _GZIP, limit)
        case "deflate":
            # Half of the world's clients leave zlib's header out; a stream without one cannot begin like one with it.
            return _inflated(body, zlib.MAX_WBITS if _has_header(body) else -zlib.MAX_WBITS, limit)
    raise Refusal(415, f"the content encoding {encoding!r} is not understood; use gzip, deflate or none")


def _inflated(body: bytes, window: int, limit: int) -> bytes:
    found = bytearray()
    rest = body
    for _ in range(_MEMBERS):  # each costs a copy of the rest
        stream = zlib.decompressobj(window)
        try:
            found += stream.decompress(rest, limit - len(found) + 1)
        except zlib.error as error:
            raise malformed(f"the compressed body is damaged: {error}") from None
        if len(found) > limit:
            raise Refusal(TOO_BIG, f"the body unpacks to more than {limit} bytes")
        if not stream.eof:
            raise malformed("the compressed body is cut short")
        rest = stream.unused_data
        if not rest:
            return bytes(found)
    raise malformed(f"the compressed body has more than {_MEMBERS} members")


def _has_header(body: bytes) -> bool:
    """RFC 1950: method 8, and the two bytes are a multiple of 31."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
