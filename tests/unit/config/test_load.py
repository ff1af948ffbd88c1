"""A project file that is wrong says where, what and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import load_project, read_project
from store.errors import ProjectError

GOOD = """\
[project]
name = "x"

[sources.s]
kind = "file"
path = "a.csv"
format = "csv"

[datasets.d]
source = "s"
"""
MODEL = """
[models.m]
task = "binary"
dataset = "d"
label = "l"
key = ["k"]
numeric = ["n"]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "trainshed.toml").write_text(text, encoding="utf-8")
    return folder


def only_fault(folder: Path, text: str) -> ProjectError:
    (fault,) = read_project(write(folder, text))[1]
    return fault


def test_a_good_file_loads_and_knows_its_folder(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, GOOD))
    assert (project.project.name, project.root) == ("x", tmp_path.resolve())
    assert read_project(tmp_path)[1] == []


@pytest.mark.parametrize(
    ("text", "where", "what", "remedy"),
    [
        pytest.param("[project\nname = 1", "trainshed.toml", "not TOML", "syntax", id="malformed"),
        pytest.param(GOOD + "[datasets.d]\n", "trainshed.toml", "twice", "syntax", id="table twice"),
        pytest.param("", "project", "the key 'project' is missing", "add project", id="empty"),
        pytest.param(GOOD + "[modles.x]\n", ":11: modles", "did you mean 'models'?", "remove", id="unknown section"),
        pytest.param(
            GOOD.replace("path", "pth").replace("format", 'path = "b"\nformat'),
            ":6: sources.s.pth",
            "unknown key 'pth', did you mean 'path'?",
            "remove",
            id="unknown key in a union",
        ),
        pytest.param(
            GOOD.replace('"file"', '"fiel"'),
            ":5: sources.s.kind",
            "no kind 'fiel', did you mean 'file'?",
            "http",
            id="kind",
        ),
        pytest.param(GOOD.replace('kind = "file"\n', ""), ":4: sources.s.kind", "missing", "kind", id="no kind"),
        pytest.param(
            GOOD + '[daemon]\nmin_free = "2 gigs"\n', ":12: daemon.min_free", "not a size", "free disk", id="size"
        ),
        pytest.param(
            GOOD + '[daemon]\ngrace = "5 min"\n', ":12: daemon.grace", "not a duration", "SIGTERM", id="duration"
        ),
        pytest.param(
            GOOD + 'mode = "apend"\n', ":11: datasets.d.mode", "did you mean 'append'?", "replace", id="literal"
        ),
        pytest.param(
            GOOD + '[[datasets.d.checks]]\nkind = "notnull"\ncolumn = "a"\n',
            ":12: datasets.d.checks[0].kind",
            "did you mean 'not_null'?",
            "unique",
            id="kind of check",
        ),
        pytest.param(
            GOOD + '[[datasets.d.checks]]\nkind = "row_count"\n\n[[datasets.d.checks]]\nkind = "not_null"\n',
            ":14: datasets.d.checks[1].column",
            "the key 'column' is missing",
            "add column",
            id="second check",
        ),
        pytest.param(
            GOOD + MODEL + 'network = { kind = "mlp", widht = 3 }\n',
            ":18: models.m.network.widht",
            "did you mean 'width'?",
            "remove",
            id="key of a network",
        ),
        pytest.param(
            GOOD + MODEL + 'split = { test = "17 dayz" }\n',
            ":18: models.m.split.test",
            "not a duration",
            "share of rows",
            id="either a duration or a share",
        ),
        pytest.param(
            GOOD + "[datasets.Bad-Name]\nsource = 's'\n",
            ":11: datasets.Bad-Name",
            "'Bad-Name' is not a name",
            "small letter",
            id="name",
        ),
        pytest.param(
            GOOD + '[datasets.e]\npython = "shape"\ninputs = ["d"]\n',
            ":12: datasets.e.python",
            "not a reference to Python",
            "file.py:function",
            id="reference",
        ),
        pytest.param(
            GOOD + '[jobs."etl:d"]\nretries = -1\n', ':12: jobs."etl:d".retries', "not -1", "Attempts", id="quoted key"
        ),
        pytest.param(
            GOOD + '[schedules.z]\njob = "etl:d"\ncron = "61 * * * *"\n',
            ":13: schedules.z.cron",
            "'61' is no minute: it goes from 0 to 59",
            "crontab",
            id="crontab",
        ),
        pytest.param(
            GOOD + '[schedules.z]\njob = "etl:d"\nevery = "1h"\ntimezone = "Europe/Berln"\n',
            ":14: schedules.z.timezone",
            "did you mean 'Europe/Berlin'?",
            "zone",
            id="zone",
        ),
        pytest.param(
            GOOD + '[schedules.z]\njob = "etl:d"\nat = 2030-01-01T00:00:00\n',
            ":13: schedules.z.at",
            "timezone",
            "offset",
            id="naive time",
        ),
        pytest.param(
            GOOD + '[serving]\ntimeout = "0s"\n',
            ":12: serving.timeout",
            "greater than 0",
            "",
            id="no time for a request",
        ),
        pytest.param(
            GOOD + '[daemon]\nkeep_runs = "1s"\n',
            ":12: daemon.keep_runs",
            "should be greater than or equal to 1d, not '1s'",
            "",
            id="limit of time",
        ),
        pytest.param(
            GOOD + '[schedules.z]\njob = "etl:d"\n', ":11: schedules.z", "exactly one of cron", "", id="no time at all"
        ),
        pytest.param(
            GOOD + '[schedules.z]\njob = "etl:e"\nevery = "1h"\n',
            ":12: schedules.z.job",
            "no job 'etl:e', did you mean 'etl:d'?",
            "define it",
            id="job",
        ),
        pytest.param(
            GOOD + '[jobs."etl:d"]\npool = "monitors"\n',
            ':12: jobs."etl:d".pool',
            "no pool 'monitors'",
            "define it",
            id="pool that is not there without a monitor",
        ),
        pytest.param(
            GOOD + '[jobs."etl:d"]\npool = "default"\n[monitors.w]\ndataset = "e"\ntime = "t"\n',
            ":14: monitors.w.dataset",
            "no dataset 'e'",
            "define it",
            id="pool of a job beside a dangling monitor",
        ),
        pytest.param(
            GOOD.replace('source = "s"', 'source = "t"'),
            ":10: datasets.d.source",
            "no source 't'",
            "define it",
            id="dangling source",
        ),
    ],
)
def test_each_fault_names_line_and_key_and_what_would_be_right(
    tmp_path: Path, text: str, where: str, what: str, remedy: str
) -> None:
    fault = only_fault(tmp_path, text)
    assert where in fault.where
    assert what in fault.what
    assert remedy in fault.remedy


def test_all_faults_are_found_at_once_and_loading_names_the_first_and_their_number(tmp_path: Path) -> None:
    write(tmp_path, GOOD + 'moed = "append"\n[models.m]\ntask = "binary"\n')
    faults = read_project(tmp_path)[1]
    assert [fault.where.partition(": ")[2] for fault in faults] == [
        "datasets.d.moed",
        "models.m.dataset",
        "models.m.label",
        "models.m.key",
    ]
    with pytest.raises(ProjectError, match=r"moed.*\(3 more: run `trainshed check`\)"):
        load_project(tmp_path)


def test_datasets_made_from_each_other_are_refused_with_the_circle(tmp_path: Path) -> None:
    circle = '[datasets.a]\nsql = "select 1"\ninputs = ["b"]\n[datasets.b]\nsql = "select 1"\ninputs = ["a"]\n'
    fault = only_fault(tmp_path, GOOD + circle)
    assert "a → b → a" in fault.what


def test_a_view_with_the_name_of_a_dataset_is_refused(tmp_path: Path) -> None:
    view = '[features.d]\ninputs = ["d"]\nentity = ["k"]\ntime = "t"\n'
    fault = only_fault(tmp_path, GOOD + view)
    assert "features.d" in fault.where
    assert "a dataset has this name too" in fault.what


def test_patience_and_clip_are_switched_off_by_a_word(tmp_path: Path) -> None:
    training = MODEL + '[models.m.training]\npatience = "off"\nclip = "off"\n'
    model = load_project(write(tmp_path, GOOD + training)).models["m"]
    assert (model.training.patience, model.training.clip) == (None, None)


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no such file") as caught:
        load_project(tmp_path)
    assert "trainshed init" in caught.value.remedy


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "trainshed.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectError, match="not UTF-8"):
        load_project(tmp_path)
