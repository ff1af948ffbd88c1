"""How an attempt ended, and whether the run is tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from daemon.settle import AttemptEnd, LastWord, Settlement, delay, settle
from store.wire import Fault

FAULT = Fault(code="SourceMalformed", what="HTML where JSON was promised", remedy="look at the url")
DONE = LastWord(kind="done")


def ended(**facts: Any) -> Settlement:
    usual: dict[str, Any] = {"attempt": 1, "max_attempts": 3, "retry_delay_s": 10.0, "said": None, "final": True}
    return settle(AttemptEnd(**{**usual, **facts}))


def test_done_and_exit_0_is_success() -> None:
    assert ended(said=DONE, exit_code=0) == Settlement(state="succeeded", reason="")


def test_skip_and_exit_0_is_skipped_with_its_reason() -> None:
    said = LastWord(kind="skip", text="inputs unchanged")
    assert ended(said=said, exit_code=0) == Settlement(state="skipped", reason="inputs unchanged")


def test_done_without_exit_0_is_no_success() -> None:
    assert ended(said=DONE, exit_code=1, max_attempts=1).state == "failed"
    assert ended(said=DONE, final=False).state == "lost"


def test_exit_0_without_a_last_word_is_no_success() -> None:
    assert "without saying that it was done" in ended(exit_code=0).reason


def test_a_cancelled_run_is_cancelled_however_it_died() -> None:
    for how in ({"exit_code": 75}, {"signal": 9}, {"final": False}):
        assert ended(cancelled_by="ada", **how) == Settlement(state="cancelled", reason="cancelled by ada")


def test_a_run_that_was_done_before_the_cancel_came_is_done() -> None:
    assert ended(said=DONE, exit_code=0, cancelled_by="ada").state == "succeeded"


def test_a_timeout_is_final_and_says_how_long_it_was() -> None:
    verdict = ended(timed_out_after_s=90.0, signal=9)
    assert (verdict.state, verdict.retry_in) == ("failed", None)
    assert "90 s" in verdict.reason


def test_a_full_disk_that_left_no_room_for_a_last_word_is_said_and_tried_again() -> None:
    verdict = ended(exit_code=74)
    assert (verdict.state, verdict.retry_in, verdict.counts) == ("failed", timedelta(seconds=10), True)
    assert "no room for its last words" in verdict.reason
    assert verdict.fault is not None
    assert "free space" in verdict.fault.remedy


def test_a_passing_fault_is_tried_again_with_its_own_words() -> None:
    said = LastWord(kind="fault", fault=FAULT, retryable=True)
    verdict = ended(said=said, exit_code=75)
    assert (verdict.state, verdict.reason, verdict.fault) == ("failed", FAULT.what, FAULT)
    assert verdict.retry_in == timedelta(seconds=10)
    assert verdict.counts


def test_a_fault_that_a_retry_cannot_mend_is_final() -> None:
    assert ended(said=LastWord(kind="fault", fault=FAULT), exit_code=65).retry_in is None


def test_the_last_attempt_is_the_last() -> None:
    assert ended(signal=9, attempt=3).retry_in is None


def test_a_killed_worker_is_tried_again() -> None:
    verdict = ended(signal=9)
    assert (verdict.state, verdict.reason) == ("failed", "killed by signal 9 (SIGKILL)")
    assert verdict.retry_in is not None


def test_a_kill_for_memory_says_so() -> None:
    assert "out of memory" in ended(signal=9, oom="peak RSS 15.2 of 16.0 GB").reason


def test_preempted_work_goes_on_and_does_not_count() -> None:
    verdict = ended(exit_code=75, attempt=3)
    assert (verdict.retry_in, verdict.counts) == (timedelta(seconds=10), False)


def test_a_reboot_is_told_from_a_kill() -> None:
    assert ended(final=False, same_boot=False).reason == "the machine was rebooted while it ran"
    assert "SIGKILL" in ended(final=False).reason
    assert ended(final=False).state == "lost"


def test_an_attempt_that_never_started_does_not_count() -> None:
    verdict = ended(final=False, started=False, attempt=3)
    assert (verdict.retry_in, verdict.counts) == (timedelta(), False)


@pytest.mark.parametrize(
    ("code", "meaning"), [(65, "bad data"), (69, "device"), (70, "diverged"), (73, "checkpoint"), (42, "see stderr")]
)
def test_an_exit_status_is_explained(code: int, meaning: str) -> None:
    assert meaning in ended(exit_code=code).reason


def test_the_wait_doubles_up_to_an_hour() -> None:
    assert [delay(10, n).total_seconds() for n in (1, 2, 3, 4)] == [10, 20, 40, 80]
    assert delay(10, 400) == timedelta(hours=1)
