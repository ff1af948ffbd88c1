"""`run`, `runs`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.failure import Usage
from tui.overrides import settings as settings_of
from tui.printable import coloured
from tui.verbs import complete
from tui.verbs.frame import Shell, group, verb

if TYPE_CHECKING:
    from store.wire import LogHit

RunId = Annotated[int, typer.Argument(metavar="RUN", help="Number of the run.", autocompletion=complete.runs)]


def add_to(app: typer.Typer) -> None:
    verb(app, "run", example="trainshed run train:late --upstream --wait --set training.epochs=5")(run)
    inner = group(app, "runs", purpose="What ran, runs and waits to run.", bare=newest)
    verb(inner, "list", example='trainshed runs list --filter "late auc>0.77 took>5m" --sort -metric:auc')(list_runs)
    verb(inner, "show", example="trainshed runs show 12")(show)
    verb(inner, "logs", example='trainshed runs logs 12 --search "not finite"')(logs)
    verb(inner, "cancel", example="trainshed runs cancel 12")(cancel)
    verb(inner, "retry", example="trainshed runs retry 12")(retry)
    verb(inner, "compare", example="trainshed runs compare 12 15")(compare)


def run(
    shell: Shell,
    job: Annotated[str, typer.Argument(metavar="JOB", help="See `trainshed jobs`.", autocompletion=complete.jobs)],
    wait: Annotated[bool, typer.Option("--wait", help="Show it live, and exit 1 if it does not succeed.")] = False,
    upstream: Annotated[
        bool, typer.Option("--upstream", help="Bring everything the job builds upon up to date first.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run even if no input changed.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="K=V", help="Another value for a setting of the job; may be repeated."),
    ] = None,
    priority: Annotated[int, typer.Option(help="Higher goes first.")] = 0,
) -> None:
    """Run a job now."""
    from store.wire import RunRequest
    from tui.verbs.wait import submitted, wait_and_report

    params = settings_of(settings or [])
    request = RunRequest(job=job, params=params, upstream=upstream, force=force, priority=priority)
    with shell.daemon() as daemon:
        view = daemon.submit(request)
        if wait:
            wait_and_report(shell, daemon, view)
        else:
            shell.say(view, submitted(view))


def newest(shell: Shell) -> None:
    list_runs(shell)


def list_runs(
    shell: Shell,
    job: Annotated[str | None, typer.Option(help="Only this job's.", autocompletion=complete.jobs)] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state: queued, running, failed …")] = None,
    filter: Annotated[
        str | None, typer.Option("--filter", metavar="WORDS", help='Such as "late state=failed auc>0.77 created<2d".')
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="id, job, state, actor, priority, created, ended, took, metric:NAME; -: down."
        ),
    ] = None,
    offset: Annotated[int | None, typer.Option(min=0, help="Leave out so many from the beginning.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 30,
    after: Annotated[str | None, typer.Option(metavar="TOKEN", help="The `next` of the page before.")] = None,
) -> None:
    """Runs, newest first, or as --sort says. For --filter see docs/how-to/find.md."""
    if filter is not None or sort is not None or offset is not None:
        if job or state or after:
            raise Usage(
                "--filter, --sort and --offset do not go with --job, --state and --after",
                remedy='write it all as a filter: --filter "job=train:late state=failed"',
            )
        _list_window(shell, filter or "", sort or "-id", offset or 0, limit)
        return
    with shell.daemon() as daemon:
        page = daemon.runs(job=job, state=state, limit=limit, after=after)
    _draw_runs(shell, page, page.items)
    if page.next and not shell.as_json:
        shell.note(f"more: --after {page.next}")


def _list_window(shell: Shell, q: str, sort: str, offset: int, limit: int) -> None:
    with shell.daemon() as daemon:
        window = daemon.run_window(q, sort=sort, offset=offset, limit=limit)
    _draw_runs(shell, window, window.items, empty="no run is there")
    end = offset + len(window.items)
    if not shell.as_json and window.items and window.total != end:
        of = "" if window.total is None else f" of {window.total:,}"
        shell.note(f"{offset + 1:,} to {end:,}{of}; more: --offset {end}")


def _draw_runs(shell: Shell, answer: Any, items: Sequence[Any], empty: str = "no runs") -> None:
    def draw() -> Any:
        from tui.draw.runs import run_table

        return run_table(items, shell.now, empty=empty)

    shell.show(answer, draw)


def show(shell: Shell, run: RunId) -> None:
    """One run: why it is where it is, its settings, metrics, attempts, and what it left behind."""
    with shell.daemon() as daemon:
        detail = daemon.run(run)

    def draw() -> Any:
        from tui.draw.runs import run_detail

        return run_detail(detail, shell.now)

    shell.show(detail, draw)


def logs(
    shell: Shell,
    run: RunId,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run has ended.")] = False,
    stderr: Annotated[bool, typer.Option("--stderr", help="What it wrote to standard error.")] = False,
    attempt: Annotated[int | None, typer.Option(help="Of this try; else of the last.")] = None,
    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only lines that hold this; re:PATTERN: that it fits.")
    ] = None,
    ignore_case: Annotated[bool, typer.Option("-i", "--ignore-case", help="With --search: take A for a.")] = False,
) -> None:
    """What a run printed. With --follow and --json, one object a line."""
    stream, other = ("stderr", "stdout") if stderr else ("stdout", "stderr")
    if search is not None:
        if follow:
            raise Usage("--search does not follow", remedy=f"trainshed runs logs {run} -f | grep --line-buffered TEXT")
        _search(shell, run, stream, search, ignore_case, attempt)
        return
    with shell.daemon() as daemon:
        if follow:
            pieces = daemon.follow(run, stream, attempt=attempt)
            _write(piece.model_dump_json() + "\n" if shell.as_json else piece.text for piece in pieces)
            return
        chunk = daemon.whole_log(run, stream, attempt=attempt)
        elsewhere = not chunk.text and daemon.log(run, other, attempt=attempt).size > 0
    if shell.as_json:
        shell.say_json(chunk)
        return
    if chunk.dropped:
        shell.note(f"(the first {chunk.dropped:,} bytes were dropped by the size cap)")
    _write([chunk.text])
    if elsewhere:
        shell.note(
            f"{stream} is empty; there is something on {other}: {'add' if other == 'stderr' else 'leave out'} --stderr"
        )


def _write(pieces: Iterable[str]) -> None:
    """Into a file or a pipe as it was printed; a terminal gets nothing to obey but colours."""
    for text in coloured(pieces) if sys.stdout.isatty() else pieces:
        sys.stdout.write(text)
        sys.stdout.flush()


def _search(shell: Shell, run: int, stream: str, text: str, ignore_case: bool, attempt: int | None) -> None:
    """Every line once, with the byte at which it begins."""
    hits: list[LogHit] = []
    start = 0
    with shell.daemon() as daemon:
        hit = daemon.search_log(run, stream, text, ignore_case=ignore_case, attempt=attempt)
        while hit.offset is not None:
            if shell.as_json:
                hits.append(hit)
            else:
                _write([f"{hit.line_offset}: {hit.line}\n"])
            start = hit.next_line
            hit = daemon.search_log(run, stream, text, start=start, ignore_case=ignore_case, attempt=attempt)
    if shell.as_json:
        shell.say_json(hits)
    elif start == 0:
        shell.note(f"{stream} of run {run} does not hold {text!r} ({hit.size:,} bytes)")


def cancel(shell: Shell, run: RunId) -> None:
    """End a run: first asked to stop and save, then killed. A second cancel does not wait."""
    from store.wire import ENDED

    with shell.daemon() as daemon:
        view = daemon.cancel(run)
    over = view.state in ENDED
    reason = f": {view.reason}" if view.reason else ""
    asked = f"is asked to save and stop: `trainshed runs show {view.id}`; a second cancel does not wait"
    shell.say(view, f"run {view.id} ({view.job}) " + (f"is {view.state}{reason}" if over else asked))


def retry(shell: Shell, run: RunId) -> None:
    """Try an ended run again, from its last checkpoint if it has one."""
    with shell.daemon() as daemon:
        view = daemon.retry(run)
    shell.say(view, f"run {view.id} ({view.job}) is {view.state}: `trainshed runs show {view.id}`")


def compare(shell: Shell, runs: Annotated[list[int], typer.Argument(metavar="RUN RUN …", help="Two or more.")]) -> None:
    """The settings in which runs differ, and their metrics, side by side."""
    if len(runs) < 2:
        raise Usage("one run has nothing to be compared with", remedy="name two or more")
    with shell.daemon() as daemon:
        view = daemon.compare(runs)

    def draw() -> Any:
        from tui.draw.runs import compare_table

        return compare_table(view)

    shell.show(view, draw)
