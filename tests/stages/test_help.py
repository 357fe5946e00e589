"""Every stage has help, at once."""

import subprocess
import sys

import pytest

from imports import REPOSITORY


@pytest.mark.parametrize("script", sorted(path.name for path in (REPOSITORY / "stages").glob("*.py")))
def test_every_stage_has_help_and_imports_nothing_heavy_for_it(script):
    code = (
        "import runpy, sys; sys.argv = [sys.argv[1], '--help']\n"
        "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print('HEAVY', sorted({'torch', 'sklearn', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(REPOSITORY / "stages" / script)]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(REPOSITORY / "src")}, capture_output=True, text=True, check=True
    )
    assert "Usage" in done.stdout
    assert done.stdout.strip().endswith("HEAVY []")
