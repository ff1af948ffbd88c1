"""One computing thread a test process: they share the cores, and idle OpenMP threads would spin for each other."""

from __future__ import annotations

import os

# Before the first import of numpy or scikit-learn, which read it once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
