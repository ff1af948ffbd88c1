"""What stands under the fields of a section."""

from __future__ import annotations

import subprocess
import sys

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.sentences import sentences


def test_a_section_has_the_texts_under_its_fields_and_under_those_that_it_inherits() -> None:
    class Above(Section):
        """Not a sentence under a field."""

        first: int = 1
        """What it is,
        in two lines."""
        second: int = 2

        def third(self) -> None:
            """Nor is this."""

    class Below(Above):
        second: int = Field(default=3)
        """Told here."""

    assert sentences(Above) == {"first": "What it is,\nin two lines."}
    assert sentences(Below) == {"first": "What it is,\nin two lines.", "second": "Told here."}


def test_a_section_without_a_source_has_none() -> None:
    program = """
from pipeline.config.base import Section
from pipeline.config.sentences import sentences
class Typed(Section):
    first: int = 1
print(sentences(Typed))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "{}\n"


def test_who_needs_one_word_of_the_project_file_does_not_load_all_its_sections() -> None:
    program = "import sys, pipeline.config.base; print('pipeline.config.project' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
