"""What is said when a dachs command fails, and which of several it was."""

from pathlib import Path

import pytest

from centre import CentreError, dachs
from centre.instance import Instance

COMMANDS = [("one cannot be done", ["imp", "one"]), ("two cannot be done", ["imp", "two"])]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo No module named gavo; exit 1", "DaCHS does not start: No module named gavo"),
        ("echo '== dachs imp one'; exit 1", "one cannot be done: == dachs imp one"),
        ("echo '== dachs imp one'; echo '*** Error: bad'", "one cannot be done: Error: bad"),
        (
            "echo '== dachs imp one'; echo '== dachs imp two'; echo '*** Error: bad'; exit 1",
            "two cannot be done: Error: bad",
        ),
    ],
)
def test_the_command_that_failed_is_named(tmp_path: Path, script: str, words: str) -> None:
    instance = Instance(tmp_path, 8080, "", "")
    instance.logs.mkdir()
    instance.dachs_command.parent.mkdir()
    instance.dachs_command.write_text(f"#!/bin/sh\n{script}\n")
    instance.dachs_command.chmod(0o755)
    with pytest.raises(CentreError) as error:
        dachs.run_each(instance, COMMANDS)
    assert str(error.value).startswith(words)
