"""Each kind of channel against the real thing: an HTTP server, a mail server with STARTTLS, a program."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from daemon.channels import Answer, Message, send
from daemon.channels.web import ping
from pipeline.config.alerts import AlertsSection
from tests.unit.alerts.receiver import Receiver, receiving
from tests.webserver import Reply

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MESSAGE = Message(
    key="k1",
    body={
        "project": "shop",
        "severity": "critical",
        "title": "shop: critical, new: <distance> & carrier",
        "text": "critical, new: <distance> & carrier\n  PSI 0.9",
        "alerts": [],
        "more": 0,
    },
)


def tell(channel: dict[str, Any], root: Path = Path()) -> Answer:
    section = AlertsSection.model_validate({"channels": {"ops": {"timeout": "500ms", **channel}}})
    return send(section.channels["ops"], MESSAGE, root, NOW)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


# ------------------------------------------------------------------------------------------------------------ HTTP


def test_a_webhook_gets_the_document_its_key_and_the_headers_of_the_project(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", f"{receiver.url}/hook?token=secret")
    monkeypatch.setenv("TOKEN", "Bearer secret")
    answer = tell({"kind": "webhook", "url": "env:HOOK", "headers": {"authorization": "env:TOKEN"}})
    assert answer == Answer(ok=True, text="200 OK: taken")
    (got,) = receiver.got
    assert got.path == "/hook?token=secret"
    assert (got.headers["idempotency-key"], got.headers["authorization"]) == ("k1", "Bearer secret")
    assert got.body == {"key": "k1", **MESSAGE.body}


def test_slack_gets_its_own_json_with_its_signs_escaped(receiver: Receiver) -> None:
    assert tell({"kind": "slack", "url": receiver.url}).ok
    text = "critical, new: &lt;distance&gt; &amp; carrier\n  PSI 0.9"
    assert receiver.got[0].body == {"text": f"*shop: critical, new: &lt;distance&gt; &amp; carrier*\n{text}"}


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(b"busy", 503, {"Retry-After": "7"}), Answer(ok=False, text="503 Service Unavailable: busy", after_s=7)),
        (Reply(b"no_text", 400), Answer(ok=False, text="400 Bad Request: no_text", unwanted=True)),
        (Reply(b"", 404), Answer(ok=False, text="404 Not Found")),
        (
            Reply(b"", 302, {"Location": "http://127.0.0.1:9/"}),
            Answer(ok=False, text="302: it sends us elsewhere; write the address that it leads to as `url`"),
        ),
    ],
)
def test_what_a_receiver_answers_is_told_and_a_redirect_is_not_followed(
    receiver: Receiver, reply: Reply, answer: Answer
) -> None:
    receiver.answer = lambda _: reply
    assert tell({"kind": "webhook", "url": receiver.url}) == answer
    assert len(receiver.got) == 1


def test_a_long_answer_is_read_to_its_beginning_only(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(b"x" * 3_000_000)
    assert len(tell({"kind": "webhook", "url": receiver.url}).text) < 300


@pytest.mark.slow
def test_an_answer_that_does_not_come_is_waited_for_so_long_and_no_longer(receiver: Receiver) -> None:
    def slow(_: object) -> Reply:
        time.sleep(2)
        return Reply(b"late")

    receiver.answer = slow
    assert tell({"kind": "webhook", "url": receiver.url}).text == "no answer within 0.5 s"


def test_no_secret_is_in_what_is_told_of_a_failure(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"{receiver.url}/T0/secret")
    monkeypatch.setenv("TOKEN", "Bearer s3cret")
    receiver.answer = lambda got: Reply(f"what is {got.headers['authorization']}?".encode(), 401)
    answer = tell({"kind": "webhook", "url": "env:HOOK", "headers": {"authorization": "env:TOKEN"}})
    assert answer.text == "401 Unauthorized: what is …?"
    monkeypatch.setenv("HOOK", "htp://secret")
    assert "secret" not in tell({"kind": "slack", "url": "env:HOOK"}).text
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/secret")
    assert "secret" not in tell({"kind": "slack", "url": "env:HOOK"}).text
    monkeypatch.delenv("HOOK")
    assert tell({"kind": "slack", "url": "env:HOOK"}).text == "env:HOOK: the environment variable HOOK is not set"


def test_no_part_of_a_secret_address_is_told_however_a_receiver_names_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Express says `Cannot POST /services/…`: that was in the record, in the log and on the screens."""
    monkeypatch.setenv("HOOK", f"{receiver.url}/services/T0AAAA/xYz%2B123456?token=tok9876")
    monkeypatch.setenv("TOKEN", "Bearer s3cret-token")
    hook = {"kind": "webhook", "url": "env:HOOK", "headers": {"authorization": "env:TOKEN"}}

    def says(text: str) -> str:
        receiver.answer = lambda _: Reply(text.encode(), 404)
        return tell(hook).text

    assert says("Cannot POST /services/T0AAAA/xYz%2B123456") == "404 Not Found: Cannot POST …"
    assert says("no hook xYz+123456 (token tok9876)") == "404 Not Found: no hook … (token …)"
    assert says("s3cret-token is not known") == "404 Not Found: … is not known"
    told = says("x" * 190 + " /services/T0AAAA/xYz%2B123456")  # where it is cut
    assert "T0A" not in told
    assert "services" not in told


def test_an_answer_moves_no_terminal_and_comes_unpacked(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(b"\x1b[2Jgone\x07\x00", 500)
    assert tell({"kind": "webhook", "url": receiver.url}).text == "500 Internal Server Error: [2Jgone"
    assert receiver.got[0].headers["accept-encoding"] == "identity"


def test_a_ping_is_a_get(receiver: Receiver) -> None:
    assert ping(f"{receiver.url}/beat", 1.0, NOW).ok
    assert (receiver.got[0].method, receiver.got[0].path, receiver.got[0].body) == ("GET", "/beat", None)


# ------------------------------------------------------------------------------------------------------------ mail


class Letters:
    """Takes mail, from those who say the right password."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.refused = ""

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        if address == self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        from email import message_from_bytes, policy

        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        self.taken.append((list(envelope.rcpt_tos), mail))
        return "250 taken"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("mail")
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", *kind, *names, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.fixture
def letters() -> Letters:
    return Letters()


@contextmanager
def mail_server(letters: Letters, certificate: tuple[Path, Path] | None, **options: Any) -> Iterator[int]:
    """Its port."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    def allowed(_: object, __: object, ___: object, ____: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (b"shed", b"pass-word"), handled=False)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def listen() -> asyncio.Server:
        def connection() -> SMTP:
            return SMTP(letters, hostname="localhost", tls_context=context, authenticator=allowed, **options)

        return await loop.create_server(connection, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_hang_up(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _hang_up(server: asyncio.Server) -> None:
    """Ends the server and whoever still talks to it."""
    server.close()
    talking = asyncio.all_tasks() - {asyncio.current_task()}
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    await asyncio.sleep(0.05)  # for connections that are closing


def mail_channel(port: int, **more: Any) -> dict[str, Any]:
    usual = {"kind": "email", "host": "127.0.0.1", "port": port, "sender": "shed@example.org", "timeout": "5s"}
    return {**usual, "to": ["ada@example.org", "bob@example.org"], **more}


def test_a_mail_goes_encrypted_and_logged_in_and_its_key_is_its_message_id(
    letters: Letters, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", "pass-word")
    with mail_server(letters, certificate, auth_require_tls=True, auth_required=True) as port:
        channel = mail_channel(port, user="shed", password="env:MAIL", ca=str(certificate[0]))
        answer = tell(channel)
    assert answer == Answer(ok=True, text="127.0.0.1 took the mail for ada@example.org, bob@example.org")
    ((to, mail),) = letters.taken
    assert to == ["ada@example.org", "bob@example.org"]
    assert mail["Subject"] == MESSAGE.body["title"]
    assert (mail["Message-ID"], mail["Date"]) == ("<k1@trainshed>", "Mon, 02 Mar 2026 12:00:00 +0000")
    assert "\n".join(mail.get_content().split("\r\n")).strip() == MESSAGE.body["text"]


def test_a_certificate_that_nobody_vouches_for_and_a_wrong_password_send_nothing(
    letters: Letters, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", "wrong-word")
    with mail_server(letters, certificate, auth_require_tls=True, auth_required=True) as port:
        assert "CERTIFICATE_VERIFY_FAILED" in tell(mail_channel(port)).text
        answer = tell(mail_channel(port, user="shed", password="env:MAIL", ca=str(certificate[0])))
    assert answer.text.startswith("535")
    assert "wrong-word" not in answer.text
    assert letters.taken == []


def test_a_server_without_encryption_is_told_nothing_unless_that_is_wanted(letters: Letters) -> None:
    with mail_server(letters, None) as port:
        answer = tell(mail_channel(port))
        assert "STARTTLS" in answer.text
        assert letters.taken == []
        assert tell(mail_channel(port, security="none")).ok
    assert len(letters.taken) == 1


def test_recipients_that_are_refused_are_named(letters: Letters) -> None:
    letters.refused = "bob@example.org"
    with mail_server(letters, None) as port:
        answer = tell(mail_channel(port, security="none"))
        assert answer.text == "127.0.0.1 took the mail for ada@example.org, but not for bob@example.org"
        none = tell(mail_channel(port, security="none", to=["bob@example.org"]))
    assert none.text == "no recipient was taken: bob@example.org: 550 no such mailbox"
    assert not none.ok


# --------------------------------------------------------------------------------------------------------- command


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Shell lines → a channel that runs them."""

    def made(lines: str) -> dict[str, Any]:
        (tmp_path / "tell.sh").write_text(f"#!/bin/sh\n{lines}\n")
        (tmp_path / "tell.sh").chmod(0o755)
        return {"kind": "command", "command": ["./tell.sh", "a b", "$HOME;"]}

    return made


def test_a_program_is_given_the_document_and_its_arguments_as_they_are(
    script: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    answer = tell(script('cat > told.json; printf "%s|" "$@" > words; echo said >&2'), tmp_path)
    assert answer == Answer(ok=True, text="exit status 0: said")
    assert json.loads((tmp_path / "told.json").read_text()) == {"key": "k1", **MESSAGE.body}
    assert (tmp_path / "words").read_text() == "a b|$HOME;|"


def test_a_program_that_fails_reads_nothing_or_is_not_there_is_told(
    script: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    assert tell(script("echo no line >&2; exit 3"), tmp_path) == Answer(ok=False, text="exit status 3: no line")
    assert tell(script("kill -9 $$"), tmp_path) == Answer(ok=False, text="ended by SIGKILL")
    gone = tell({"kind": "command", "command": ["./gone.sh"]}, tmp_path)
    assert gone == Answer(ok=False, text="./gone.sh cannot be started: No such file or directory")


@pytest.mark.slow
def test_a_program_that_takes_too_long_is_ended_with_all_it_has_started(
    script: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    began = time.monotonic()
    answer = tell(script("(sleep 30; touch survived) & echo $! > child; sleep 30"), tmp_path)
    assert answer.text == "it did not end within 0.5 s, and was ended"
    assert time.monotonic() - began < 10
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    until = time.monotonic() + 10
    while time.monotonic() < until and _lives(child):
        time.sleep(0.02)
    assert not _lives(child)


def _lives(stat: Path) -> bool:
    try:
        return stat.read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
