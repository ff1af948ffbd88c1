"""The certificate that the doors show: from two files, looked at again so that a renewed one needs no restart."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from pipeline.serving.settings import ServingSettings
from store.errors import ProjectError

_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for."""
log = logging.getLogger(__name__)


class Certificate:
    """One of a worker; `context` stays the same object, and shows what the files had when they last fitted."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises ProjectError."""
        self._cert = cert
        self._key = key
        self._seen = self._state()
        self.context = context_of(cert, key)
        self.pair = self._read()
        """(key, chain) as PEM, for gRPC, which reads them itself."""

    def refresh(self) -> None:
        """Takes up changed files; those that do not fit (yet) leave what is in force."""
        seen = self._state()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            context_of(self._cert, self._key)  # aside first: a failed load would leave the living one without a key
            pair = self._read()
            self.context.load_cert_chain(self._cert, self._key, _no_password)
        except (ProjectError, OSError) as error:
            log.error("the certificate that was in force stays in force: %s", error)
            return
        self.pair = pair
        log.info("the certificate was read again: %s", self._cert)

    def _read(self) -> tuple[bytes, bytes]:
        return self._key.read_bytes(), self._cert.read_bytes()

    def _state(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(_stamp(file) for file in (self._cert, self._key))


def context_of(cert: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and later. Raises ProjectError, which names the file that is wrong and what to do."""
    for file, what in ((cert, "cert"), (key, "key")):
        _require_readable(file, what)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, _no_password)
    except _PasswordWanted:
        _wrong(key, "the key is encrypted", "write it without a password: `openssl pkey -in KEY -out NEW`", "key")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            _wrong(
                key, f"the key does not belong to the certificate {cert}", "name the two that were made together", "key"
            )
        if not _has_key(key):
            _wrong(
                key, "there is no private key in PEM form in it", "name the file that begins BEGIN … PRIVATE KEY", "key"
            )
        _wrong(
            cert, f"no certificate can be read from it ({error.reason})", "name a PEM file, BEGIN CERTIFICATE", "cert"
        )
    return context


def valid_until(cert: Path, key: Path) -> datetime:
    """The end of the certificate's time, over or not. Raises ProjectError, which names the file that is wrong.

    Python tells it of a peer alone: so one end of a connection in memory shows it to the other.
    """
    server = context_of(cert, key)
    client = ssl.create_default_context(cafile=cert)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)
    for end in (asking, answering, asking):
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    shown = asking.getpeercert()
    assert shown, "a handshake without it fails"
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


class _PasswordWanted(Exception):
    pass


def _no_password() -> NoReturn:
    """OpenSSL would ask on the terminal."""
    raise _PasswordWanted


def _require_readable(file: Path, what: str) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        _wrong(
            file,
            f"it cannot be read: {error.strerror}",
            f"correct `{what}` of [serving.tls], relative to the project, or give the daemon's user access",
            what,
        )


def _has_key(key: Path) -> bool:
    return b"PRIVATE KEY-----" in key.read_bytes()


def _wrong(file: Path, what: str, remedy: str, key: str) -> NoReturn:
    raise ProjectError(what, where=f"serving.tls.{key}: {file}", remedy=remedy) from None


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        found = os.stat(file)
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_mtime_ns, found.st_size


def certificate_of(settings: ServingSettings) -> Certificate | None:
    """None: the doors are open to the eye. Raises ProjectError."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificate(Path(settings.tls_cert), Path(settings.tls_key))
