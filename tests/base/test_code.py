"""The digest of a stage's code: what decides a result changes it, and nothing else does."""

import pytest

from busline.base import code
from imports import REPOSITORY

SOURCE = '''"""What it is."""
import numpy as np

LEVELS = ("a", "b")
"""What they are."""


def scale(values, factor=2.0):
    """Scale."""
    label = f"{factor:.1f} é {'x'}{{}}"
    return [value * factor for value in values if label]  # all of them
'''


def digest(tmp_path, source):
    path = tmp_path / f"{abs(hash(source))}.py"
    path.write_text(source, encoding="utf-8")
    return code.tree_digest(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # all of them", ""),
        ('"""Scale."""', '"""Scale all values, whatever they are."""'),
        ('    """Scale."""\n', ""),
        ('"""What they are."""\n', ""),
        ('LEVELS = ("a", "b")', 'LEVELS = (\n    "a",\n    "b",\n)'),
        ("import numpy as np\n", "\n\nimport numpy as np\n\n"),
    ],
)
def test_words_and_layout_do_not_change_it(tmp_path, old, new):
    assert old in SOURCE
    assert digest(tmp_path, SOURCE.replace(old, new)) == digest(tmp_path, SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2.0", "2.5"),
        ("value * factor", "value / factor"),
        ('"b")', '"c")'),
        (":.1f", ":.2f"),
        ("if label", "if not label"),
        ("numpy as np", "numpy as npy"),
        ("factor=2.0", "factor: float = 2.0"),
        ('LEVELS = ("a", "b")', 'LEVELS = ["a", "b"]'),
    ],
)
def test_whatever_else_changes_does(tmp_path, old, new):
    assert old in SOURCE
    assert digest(tmp_path, SOURCE.replace(old, new)) != digest(tmp_path, SOURCE)


def test_it_is_the_same_under_every_version_of_python(tmp_path):
    """As Python 3.11, 3.12 and 3.13 have it."""
    assert digest(tmp_path, SOURCE) == "68a29f28871205394f99825a24cfea50466fb251d5e02217f781e25e8471ed59"


def test_a_function_without_a_docstring_is_another_than_none():
    assert "".join(code._spell(code.ast.parse("x = None"), ["x = None"])) != "".join(
        code._spell(code.ast.parse("x = 0"), ["x = 0"])
    )


def test_what_a_script_imports_is_in_its_digest_also_through_others(monkeypatch):
    script = REPOSITORY / "stages/cnn.py"
    before = code.script_digest(script)
    for name in ("training/augment.py", "__init__.py", "base/kernels.py", "base/settings/images.py"):
        changed = code.PACKAGE / name
        with monkeypatch.context() as patch:
            own = code.tree_digest
            patch.setattr(code, "tree_digest", lambda path, c=changed, own=own: "x" if path == c else own(path))
            assert code.script_digest(script) != before, name


@pytest.mark.parametrize("name", code.SPEAK_ONLY)
def test_what_only_speaks_is_in_no_digest(monkeypatch, name):
    spoken = code.PACKAGE / name
    assert spoken.is_file()
    own = code.tree_digest
    before = code.script_digest(REPOSITORY / "stages/cnn.py")
    monkeypatch.setattr(code, "tree_digest", lambda path: "x" if path == spoken else own(path))
    assert code.script_digest(REPOSITORY / "stages/cnn.py") == before
