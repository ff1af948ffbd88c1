"""`trainshed check` finds every fault of a project before anything runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.check import Finding, Report, check_project
from pipeline.check.__main__ import main
from store.home import Home

BASE = """\
[project]
name = "shop"

[sources.orders]
kind = "file"
path = "orders.csv"
format = "csv"
timezone = "UTC"

[datasets.orders]
source = "orders"
key = ["id"]
time = "placed"
columns = { id = "int64", placed = "timestamp", country = "string", price = "float64", returned = "int64" }
"""
MODEL = """
[models.returns]
task = "binary"
dataset = "orders"
label = "returned"
key = ["id"]
time = "placed"
numeric = ["price"]
categorical = ["country"]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("id,placed,country,price,returned\n1,2030-01-01 10:00:00,DE,9.5,0\n")
    return tmp_path


def check(folder: Path, *parts: str) -> Report:
    (folder / "trainshed.toml").write_text(BASE + "\n".join(parts), encoding="utf-8")
    return check_project(folder, Home(folder / ".trainshed"))


def only_fault(folder: Path, *parts: str) -> Finding:
    report = check(folder, *parts)
    assert len(report.faults) == 1, str(report)
    return report.faults[0]


def test_a_sound_project_has_no_faults_and_its_jobs_are_drawn(shop: Path) -> None:
    report = check(shop, MODEL, '[schedules.nightly]\njob = "train:returns"\ncron = "30 2 * * *"\n')
    assert not report.faults
    assert not report.notes
    assert "train:returns  ⏱ nightly: 30 2 * * * UTC" in report.tree
    assert "└── etl:orders  ← file orders" in report.tree


def test_a_file_that_does_not_load_gives_all_its_faults_and_no_tree(shop: Path) -> None:
    report = check(shop, MODEL.replace("dataset", "datset"))
    assert {fault.what for fault in report.faults} == {
        "unknown key 'datset', did you mean 'dataset'?",
        "the key 'dataset' is missing",
    }
    assert report.tree == ""


def test_a_missing_data_file_is_a_fault(shop: Path) -> None:
    (shop / "orders.csv").unlink()
    fault = only_fault(shop)
    assert (fault.where, "no file matches 'orders.csv'" in fault.what) == ("sources.orders.path", True)


def test_a_missing_secret_names_the_variable_and_never_a_value(shop: Path) -> None:
    fault = only_fault(
        shop,
        '[sources.api]\nkind = "http"\nurl = "http://127.0.0.1:1"\nheaders = { Authorization = "env:SHOP_TOKEN" }\n',
    )
    assert fault.code == "SecretMissing"
    assert "sources.api.headers.Authorization" in fault.where
    assert "SHOP_TOKEN is not set" in fault.what
    assert "export SHOP_TOKEN" in fault.remedy


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ('[alerts.channels.chat]\nkind = "slack"\nurl = "env:HOOK"\n', "alerts.channels.chat.url"),
        (
            '[alerts.channels.ops]\nkind = "webhook"\nurl = "http://x"\nheaders = { token = "env:HOOK" }\n',
            "alerts.channels.ops.headers.token",
        ),
        (
            '[alerts.channels.post]\nkind = "email"\nhost = "h"\nsender = "a@b"\nto = ["a@b"]\nuser = "a"\n'
            'password = "env:HOOK"\n',
            "alerts.channels.post.password",
        ),
        ('[alerts.heartbeat]\nurl = "env:HOOK"\n', "alerts.heartbeat.url"),
    ],
)
def test_a_secret_that_a_channel_lacks_is_a_fault(shop: Path, section: str, key: str) -> None:
    """No word of it was said before the first message that could not be sent."""
    fault = only_fault(shop, section)
    assert (fault.code, fault.where) == ("SecretMissing", f"{key}: env:HOOK")


def test_a_missing_sql_file_is_a_fault(shop: Path) -> None:
    fault = only_fault(shop, '[datasets.daily]\nsql = "sql/daily.sql"\ninputs = ["orders"]\n')
    assert "datasets.daily.sql" in fault.where
    assert "No such file" in fault.what


def test_wrong_sql_is_compiled_against_the_inputs_and_nothing_runs(shop: Path) -> None:
    fault = only_fault(shop, '[datasets.daily]\nsql = "select prise from orders"\ninputs = ["orders"]\n')
    assert "datasets.daily.sql" in fault.where
    assert "prise" in fault.what
    assert not (shop / ".trainshed").exists()


def test_a_column_that_sql_makes_is_known_downstream(shop: Path) -> None:
    daily = '[datasets.daily]\nsql = "select country, max(placed) as day, avg(price) as mean from orders group by 1"\n'
    daily += 'inputs = ["orders"]\ntime = "day"\n'
    assert not check(shop, daily).faults
    fault = only_fault(shop, daily.replace('time = "day"', 'time = "days"'))
    assert (fault.where, fault.what) == ("datasets.daily.time", "no column 'days', did you mean 'day'?")


def test_what_cannot_be_judged_before_a_first_run_is_a_note_and_not_a_pass(shop: Path) -> None:
    (shop / "make.py").write_text("def make(orders):\n    return orders\n")
    report = check(
        shop,
        '[datasets.made]\npython = "make.py:make"\ninputs = ["orders"]\n',
        '[datasets.more]\nsql = "select nonsense from made"\ninputs = ["made"]\n',
    )
    assert not report.faults
    assert [note.where for note in report.notes] == ["datasets.made", "datasets.more.sql"]
    assert "run `trainshed run etl:made`" in report.notes[0].remedy


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (None, "there is no file"),
        ("def other(orders):\n    return orders\n", "has no function 'make' (it defines: other)"),
        ("def make(:\n", "cannot be loaded: SyntaxError"),
        ("import surely_not_installed\n", "cannot be loaded: ModuleNotFoundError"),
    ],
    ids=["no file", "no function", "syntax", "import"],
)
def test_python_that_does_not_load_is_a_fault(shop: Path, code: str | None, what: str) -> None:
    if code is not None:
        (shop / "make.py").write_text(code)
    fault = only_fault(
        shop,
        '[datasets.made]\npython = "make.py:make"\ninputs = ["orders"]\ncolumns = { id = "int64" }\n',
    )
    assert "datasets.made.python" in fault.where
    assert what in fault.what


@pytest.mark.parametrize(
    ("check_table", "where", "what"),
    [
        ('kind = "not_null"\ncolumn = "prize"', "checks[0]", "no column 'prize', did you mean 'price'?"),
        ('kind = "unique"\ncolumns = ["id", "shop"]', "checks[0]", "no column 'shop'"),
        (
            'kind = "foreign_key"\ncolumn = "country"\ndataset = "orders"\nto = "land"',
            "checks[0].to",
            "no column 'land'",
        ),
        ('kind = "freshness"\ncolumn = "price"\nwithin = "1d"', "checks[0]", "'price' is not a time but double"),
        ('kind = "schema"\ncolumns = { id = "int" }', "checks[0].columns.id", "there is no type 'int'"),
        ('kind = "sql"\nrule = "price > nothing"', "checks[0].rule", "nothing"),
        ('kind = "regex"\ncolumn = "country"\npattern = "[A-Z"', "checks[0].pattern", "missing ]"),
    ],
)
def test_checks_are_held_against_the_columns(shop: Path, check_table: str, where: str, what: str) -> None:
    fault = only_fault(shop, f"[[datasets.orders.checks]]\n{check_table}\n")
    assert fault.where == f"datasets.orders.{where}"
    assert what in fault.what


def test_a_date_may_be_fresh_as_it_may_where_it_is_judged(shop: Path) -> None:
    """It was a fault here, and no run of the job ever refused it."""
    (shop / "orders.csv").write_text(
        "id,day,placed,country,price,returned\n1,2030-01-01,2030-01-01 10:00:00,DE,9.5,0\n"
    )
    fresh = '[[datasets.orders.checks]]\nkind = "freshness"\ncolumn = "day"\nwithin = "2d"\n'
    (shop / "trainshed.toml").write_text(BASE.replace("id = ", 'day = "date", id = ') + fresh, encoding="utf-8")
    assert not check_project(shop, Home(shop / ".trainshed")).faults


@pytest.mark.parametrize(
    ("before", "after", "where", "what"),
    [
        ('label = "returned"', 'label = "return"', "label", "did you mean 'returned'?"),
        (
            'numeric = ["price"]\ncategorical = ["country"]',
            'numeric = ["country"]',
            "numeric",
            "'country' is not a number but string",
        ),
        ('time = "placed"', 'time = "price"', "time", "'price' is not a time"),
        ('time = "placed"', 'objective = "rmse"', "objective", "does not suit task 'binary'"),
        ('time = "placed"', 'split = { test = "7d" }', "split", "a span of time without `time`"),
        ('numeric = ["price"]', 'numeric = ["returned"]', "label", "is a feature too"),
    ],
)
def test_models_are_held_against_the_columns(shop: Path, before: str, after: str, where: str, what: str) -> None:
    fault = only_fault(shop, MODEL.replace(before, after))
    assert fault.where == f"models.returns.{where}"
    assert what in fault.what


VIEW = """
[features.country_prices]
sql = "select country, placed, avg(price) over (partition by country order by placed) as price from orders"
inputs = ["orders"]
entity = ["country"]
time = "placed"
"""


def test_two_features_of_one_name_need_a_prefix(shop: Path) -> None:
    fault = only_fault(shop, VIEW, MODEL + 'views = [{ view = "country_prices" }]\n')
    assert (fault.where, fault.what) == ("models.returns.views", "two features are called 'price'")
    assert not check(shop, VIEW, MODEL + 'views = [{ view = "country_prices", prefix = "c_" }]\n').faults


def test_a_view_is_held_against_its_columns(shop: Path) -> None:
    fault = only_fault(shop, VIEW.replace('entity = ["country"]', 'entity = ["land"]'))
    assert fault.where == "features.country_prices.entity"


def test_a_join_needs_the_entity_of_its_view(shop: Path) -> None:
    joined = MODEL + 'views = [{ view = "country_prices", prefix = "c_", on = { land = "country" } }]\n'
    fault = only_fault(shop, VIEW, joined)
    assert (fault.where, "no entity column of 'country_prices'" in fault.what) == ("models.returns.views[0].on", True)


def test_a_type_that_no_column_can_have_is_a_fault(shop: Path) -> None:
    (shop / "trainshed.toml").write_text(BASE.replace('"float64"', '"float"'))
    report = check_project(shop, Home(shop / ".trainshed"))
    assert [fault.where for fault in report.faults] == ["datasets.orders.columns.price"]


@pytest.mark.slow
def test_a_core_for_serving_that_the_box_has_not_is_a_fault(shop: Path) -> None:
    fault = only_fault(shop, "[serving]\ncores = [0, 4096]")
    assert (fault.where, fault.what.partition(";")[0]) == ("serving.cores", "there is no core 4096 here")
    assert "leave it out" in fault.remedy


@pytest.mark.slow
def test_the_program_exits_with_the_verdict_and_prints_one_document(shop: Path) -> None:
    (shop / "trainshed.toml").write_text(BASE + MODEL.replace("price", "prize"))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipeline.check", "--project", str(shop), "--json"],
        env={**os.environ, "TRAINSHED_HOME": str(shop / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert (done.returncode, report["passed"], len(report["faults"])) == (1, False, 1)
    assert [job["name"] for job in report["jobs"]] == ["etl:orders", "train:returns", "evaluate:returns", "backup"]


def test_a_project_without_fault_passes(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINSHED_HOME", str(shop / "home"))
    (shop / "trainshed.toml").write_text(BASE + MODEL)
    monkeypatch.setattr(sys, "argv", ["check", "--project", str(shop), "--json"])
    assert main() == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["passed"], report["faults"]) == (True, [])


def test_a_file_is_looked_into_for_the_columns_that_are_declared(shop: Path) -> None:
    (shop / "orders.csv").write_text("id,placed,land,price,returned\n1,2030-01-01 10:00:00,DE,9.5,0\n")
    fault = only_fault(shop)
    assert (fault.where, fault.what.partition(",")[0]) == (
        "datasets.orders.columns",
        "the file has no column 'country'",
    )


def test_columns_of_a_file_need_no_declaration(shop: Path) -> None:
    lines = [line for line in BASE.splitlines() if not line.startswith("columns")]
    (shop / "trainshed.toml").write_text("\n".join(lines) + MODEL.replace("price", "prize"))
    report = check_project(shop, Home(shop / ".trainshed"))
    assert [fault.what for fault in report.faults] == ["no column 'prize', did you mean 'price'?"]
    assert not report.notes


def test_a_file_that_is_not_what_it_is_called_is_a_fault(shop: Path) -> None:
    (shop / "orders.csv.gz").write_bytes(b"\x1f\x8b\x08\x00 truncated")
    (shop / "trainshed.toml").write_text(BASE.replace("orders.csv", "orders.csv.gz"))
    report = check_project(shop, Home(shop / ".trainshed"))
    assert [fault.code for fault in report.faults] == ["SourceMalformed"]
