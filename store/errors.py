"""Every error a person can meet, each one an instruction.

    TrainshedError                 what happened, where, what to do next
    ├── ProjectError               trainshed.toml, or a file it names, is wrong
    │   └── SecretMissing          a reference (env:NAME, file:PATH) resolves to nothing
    ├── SourceError                a source did not give what it promised
    │   ├── SourceUnreachable      no connection, time-out, 5xx after all retries    (worth a retry)
    │   ├── SourceDenied           wrong password, wrong token, no permission
    │   ├── SourceMalformed        HTML for JSON, a truncated archive, a broken row
    │   └── SourceTooLarge         more bytes than `max_bytes` allows
    ├── DataError                  the data breaks a rule of the project
    │   ├── SchemaChanged          a column is gone, new or of another type against the contract
    │   ├── ChecksFailed           checks of severity "fail" found bad rows
    │   └── Unlearnable            NaN labels, one class only, an empty table
    ├── TrainingError
    │   ├── Diverged               the loss or the gradient stopped being finite
    │   ├── DeviceMissing          the asked-for device is not here, and why
    │   └── CheckpointDamaged      a checkpoint's bytes are not those that were saved
    ├── BundleDamaged              a version's files are not those that were sealed
    ├── ServingError               an endpoint cannot do what it should
    │   ├── GoldenMismatch         a version does not give the scores that it was sealed with
    │   ├── NotServable            a serving process refuses a version; what answered stays
    │   └── NotServed              the serving process is not there, or does not answer
    ├── StorageError               the disk is read-only, failing, or not a place for SQLite
    │   └── DiskFull               no space, or the user's quota is used up         (worth a retry)
    ├── RecordError
    │   ├── RecordTooNew           the database was written by a newer program
    │   ├── RecordDamaged          the database file is not sound
    │   ├── RecordBusy             another process holds the write lock, or all     (worth a retry)
    │   │                          readers are at work
    │   └── NotFound               no run, dataset, model, version … of that name
    └── Refused                    understood, and not done
        ├── Conflict               somebody else moved it first, or the state forbids it
        ├── GateRefused            no verdict, or a failing one, and no override
        ├── NotExportable          a version cannot be exported to that
        └── DaemonRunning          the home already has its daemon

A message is complete on its own: the command line, the API and the record all show the same text.
"""

from __future__ import annotations

from typing import ClassVar


class TrainshedError(Exception):
    """Base of all errors meant for a person."""

    exit_code: ClassVar[int] = 1
    """Exit status of a child process that ends with this error (sysexits.h where it has a word for it)."""
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    """Whether trying again later, with nothing changed, can help."""

    def __init__(self, what: str, *, remedy: str, where: str = "") -> None:
        """`what` happened, in a sentence; `where`: file:key, table.column, url; `remedy`: the next step."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    @property
    def code(self) -> str:
        """The stable name of this kind of error, as it stands in JSON and in docs/reference/errors.md."""
        return type(self).__name__

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}\n  → {self.remedy}"


class ProjectError(TrainshedError):
    """trainshed.toml, or a file it names, is wrong."""

    exit_code = 78
    http_status = 422


class SecretMissing(ProjectError):
    """A secret reference resolves to nothing."""


class SourceError(TrainshedError):
    """A source did not give what it promised."""

    exit_code = 65
    http_status = 502


class SourceUnreachable(SourceError):
    """No connection, a time-out, or server errors after all retries."""

    exit_code = 75
    retryable = True


class SourceDenied(SourceError):
    """The source refuses us: wrong password, wrong token, no permission."""

    exit_code = 77


class SourceMalformed(SourceError):
    """What arrived is not what the source's `format` says."""


class SourceTooLarge(SourceError):
    """The source has, or declares, more bytes than `max_bytes` allows."""


class DataError(TrainshedError):
    """The data breaks a rule of the project."""

    exit_code = 65
    http_status = 422


class SchemaChanged(DataError):
    """The columns are not those of the dataset's contract."""


class ChecksFailed(DataError):
    """Checks of severity "fail" found bad rows."""


class Unlearnable(DataError):
    """No model can be trained on these rows."""


class TrainingError(TrainshedError):
    """Training could not go on."""

    exit_code = 70


class Diverged(TrainingError):
    """The loss or the gradient stopped being finite."""


class DeviceMissing(TrainingError):
    """The device that was asked for is not here."""

    exit_code = 69
    http_status = 422


class CheckpointDamaged(TrainingError):
    """A checkpoint's bytes are not those that were saved."""

    exit_code = 73


class BundleDamaged(TrainshedError):
    """A version's files are not those that were sealed."""

    exit_code = 73


class ServingError(TrainshedError):
    """An endpoint cannot do what it should."""

    http_status = 409


class GoldenMismatch(ServingError):
    """A version does not give the scores that it was sealed with."""

    exit_code = 65


class NotServable(ServingError):
    """A serving process refuses a version; what answered stays as it was."""


class NotServed(ServingError):
    """The serving process is not there, or does not answer."""

    http_status = 503
    retryable = True


class StorageError(TrainshedError):
    """The disk is read-only, failing, or not a place for SQLite."""

    exit_code = 74
    http_status = 507


class DiskFull(StorageError):
    """There is no space on the disk, or the user's quota is used up."""

    retryable = True  # no run is started before there is space again


class RecordError(TrainshedError):
    """The record cannot be used as asked."""


class RecordTooNew(RecordError):
    """The database was written by a newer program."""


class RecordDamaged(RecordError):
    """The database file is not sound."""


class RecordBusy(RecordError):
    """Another process holds the record's write lock, or as many read it as may at once."""

    http_status = 503
    retryable = True


class NotFound(RecordError):
    """Nothing of that name is in the record."""

    http_status = 404


class Refused(TrainshedError):
    """Understood, and not done."""

    http_status = 409


class Conflict(Refused):
    """Somebody else moved it first, or its state forbids this."""


class GateRefused(Refused):
    """No verdict, or a failing one, and no override by name and reason."""


class NotExportable(Refused):
    """A version cannot be exported to that."""


class DaemonRunning(Refused):
    """This home already has its daemon."""

    exit_code = 3
