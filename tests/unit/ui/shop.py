"""The project of the test history, and the faults and words of its runs."""

from __future__ import annotations

from typing import Final

from store.wire import Fault

PROJECT: Final = """
[project]
name = "shop"

[sources.orders]
kind = "file"
path = "orders.csv"
format = "csv"

[datasets.orders]
description = "Every order, once"
source = "orders"
key = ["id"]
time = "at"

[[datasets.orders.checks]]
kind = "unique"
columns = ["id"]

[[datasets.orders.checks]]
kind = "range"
column = "amount"
min = 0
max_share = 0.01
severity = "warn"

[features.habits]
inputs = ["orders"]
entity = ["customer"]
time = "at"
ttl = "2d"

[models.late]
description = "Probability that an order comes late"
task = "binary"
dataset = "orders"
label = "late"
key = ["id"]
time = "at"
numeric = ["amount"]

[schedules.nightly]
job = "train:late"
cron = "30 2 * * *"
timezone = "Europe/Berlin"

[schedules.hourly]
job = "etl:orders"
every = "1h"
"""
ORDERS_CSV: Final = "id,at,customer,amount,late\n1,2026-01-01T00:00:00Z,a,3.5,0\n"
STDERR: Final = (
    "\x1b[33mWARNING\x1b[0m orders_7d has 120 missing values: the median stands in for them\n"
    "\x1b[1;31mERROR\x1b[0m the spike at step 700: loss 1.9021, gradient clipped\n"
    "a title in disguise: \x1b]0;pwned\x07 and a bell \x07 and a\ttab\n"
)
"""With colours, and with what must not reach a terminal."""


def refused() -> Fault:
    return Fault(
        code="CheckFailed",
        what="orders: 61 of 50,340 rows repeat the id of an earlier row",
        where="orders",
        remedy="see the rows with `trainshed data checks orders`",
    )


def not_a_number() -> Fault:
    return Fault(
        code="TrainingError",
        what="the loss is not a number since step 240",
        where="steps 240 to 250",
        remedy="lower training.learning_rate, or set training.clip",
    )


def no_file() -> Fault:
    return Fault(code="SourceError", what="orders.csv is not there", where="orders.csv", remedy="put it there")
