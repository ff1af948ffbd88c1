"""Every path under a home, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folder with all state of one project (design §5)."""

    root: Path

    @classmethod
    def of_project(cls, project: Path, environ: dict[str, str] | None = None) -> Home:
        """`$TRAINSHED_HOME` if set, else `<project>/.trainshed`."""
        named = (os.environ if environ is None else environ).get("TRAINSHED_HOME")
        return cls(Path(named).expanduser().resolve() if named else project.resolve() / ".trainshed")

    @property
    def database(self) -> Path:
        return self.root / "trainshed.db"

    @property
    def ballast(self) -> Path:
        """Space kept back so that a full disk can still be recorded."""
        return self.root / "ballast"

    @property
    def socket(self) -> Path:
        return self.root / "trainshed.sock"

    @property
    def daemon_lock(self) -> Path:
        return self.root / "daemon.lock"

    @property
    def daemon_log(self) -> Path:
        return self.root / "daemon.log"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    def dataset(self, name: str) -> Path:
        """The Delta table of a dataset."""
        return self.lake / "datasets" / name

    def quarantine(self, name: str) -> Path:
        """The Delta table of rows that a dataset's checks refused."""
        return self.lake / "quarantine" / name

    def feature_view(self, name: str) -> Path:
        """The Delta table of a feature view's rows."""
        return self.lake / "features" / name

    def online(self, view: str) -> Path:
        """A feature view's newest values by entity, for requests: a SQLite file of its own, replaced as a whole."""
        return self.root / "online" / f"{view}.sqlite"

    def predictions(self, model: str) -> Path:
        """The Delta table of what a served model was asked and answered."""
        return self.lake / "predictions" / model

    def labels(self, model: str) -> Path:
        """The Delta table of the labels of those requests."""
        return self.lake / "labels" / model

    def staging(self, dataset: str) -> Path:
        """Pages of an ingest that is not committed yet, with their journal."""
        return self.root / "staging" / dataset

    @property
    def training_sets(self) -> Path:
        """Recorded training sets, by digest."""
        return self.root / "training-sets"

    @property
    def scratch(self) -> Path:
        """What running trainings put aside: spilled and encoded rows. A folder a run, gone with it."""
        return self.root / "scratch"

    @property
    def versions(self) -> Path:
        """Model bundles, by digest."""
        return self.root / "versions"

    def bundle(self, digest: str) -> Path:
        return self.versions / digest

    @property
    def checkpoints_root(self) -> Path:
        return self.root / "checkpoints"

    def checkpoints(self, run: int) -> Path:
        return self.checkpoints_root / str(run)

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def attempt(self, run: int, number: int) -> AttemptDir:
        return AttemptDir(self.runs / str(run) / str(number))

    @property
    def replays(self) -> Path:
        """What plans know of candidates on logged requests; can be thrown away."""
        return self.root / "replays"

    @property
    def references(self) -> Path:
        """Profiles of what versions learned from, by digest; can be thrown away."""
        return self.root / "references"

    @property
    def profiles(self) -> Path:
        """Profiles of windows that monitors have looked at; can be thrown away: they are made from the rows again."""
        return self.root / "profiles"

    @property
    def serving(self) -> ServingDir:
        """What the serving processes and the daemon share."""
        return ServingDir(self.root / "serving")

    @property
    def compilation_cache(self) -> Path:
        """XLA's persistent cache."""
        return self.root / "xla-cache"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def restoring(self) -> Path:
        """There while a restore exchanges the contents of the home; no record is opened then."""
        return self.root / "restoring"


@dataclass(frozen=True)
class AttemptDir:
    """The folder of one attempt of a run: the protocol between daemon, shim and worker.

    `spec.json` is written by the daemon, `status.json` and the logs by the shim, `events.jsonl` by the
    worker; the shim holds an flock on `lock` as long as it lives.
    """

    root: Path

    @property
    def spec(self) -> Path:
        return self.root / "spec.json"

    @property
    def status(self) -> Path:
        return self.root / "status.json"

    @property
    def events(self) -> Path:
        return self.root / "events.jsonl"

    @property
    def stdout(self) -> Path:
        return self.root / "stdout.log"

    @property
    def stderr(self) -> Path:
        return self.root / "stderr.log"

    @property
    def lock(self) -> Path:
        return self.root / "lock"


@dataclass(frozen=True)
class ServingDir:
    """The folder between the daemon, the serving supervisor and its workers.

    `routing.json` is written by the daemon; the supervisor holds an flock on `lock` as long as it lives and answers on
    `control.sock`; `pressed/` and `executables/` can be made again from the bundles at any time.
    """

    root: Path

    @property
    def routing(self) -> Path:
        """Which version answers for which model."""
        return self.root / "routing.json"

    @property
    def settings(self) -> Path:
        """What the supervisor was told when it was started."""
        return self.root / "settings.json"

    @property
    def keys(self) -> Path:
        """Who may ask: hashes of API keys."""
        return self.root / "keys.json"

    @property
    def rates(self) -> Path:
        """When each API key may ask again; the workers' common memory."""
        return self.root / "rates"

    @property
    def asked(self) -> Path:
        """Whether an operator wants endpoints, whatever the project file says."""
        return self.root / "asked.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def control(self) -> Path:
        return self.root / "control.sock"

    @property
    def workers(self) -> Path:
        """Processes that answer requests, for the supervisor that comes after a dead one."""
        return self.root / "workers.json"

    @property
    def log(self) -> Path:
        return self.root / "serving.log"

    @property
    def predictions_root(self) -> Path:
        """What workers have written down and the daemon reads into the lake: a folder of segments for each model."""
        return self.root / "predictions"

    def predictions(self, model: str) -> Path:
        return self.predictions_root / model

    @property
    def tallies(self) -> Path:
        """What workers have counted of running comparisons: a file for each comparison, stage and worker."""
        return self.root / "tallies"

    @property
    def predictions_lock(self) -> Path:
        """Held by the one that reads them, and the labels."""
        return self.root / "predictions.lock"

    @property
    def labels_root(self) -> Path:
        """Labels that were sent and are on their way into the lake: a folder of segments for each model."""
        return self.root / "labels"

    def labels(self, model: str) -> Path:
        return self.labels_root / model

    @property
    def pressed_root(self) -> Path:
        return self.root / "pressed"

    def pressed(self, digest: str) -> Path:
        """A version's bundle as serving reads it."""
        return self.pressed_root / digest

    @property
    def executables_root(self) -> Path:
        return self.root / "executables"

    def executables(self, key: str) -> Path:
        """Compiled programs of one function on one kind of machine."""
        return self.executables_root / key
