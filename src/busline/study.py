"""Run a committed study: the settings of studies/<name>.yaml as one DVC experiment, its results kept in docs/results.

The experiment runs in a folder of its own (`dvc exp run --temp`), so the workspace stays as it is, also when the run
is interrupted or killed. Finished stages stay in the cache: starting again goes on where the run ended.
"""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from busline.base.artifacts import atomic_folder
from busline.base.cli import run_stage
from busline.base.errors import BuslineError, ParameterError, near_matches
from busline.base.params import Params
from busline.base.settings.reading import parse_settings, read_parameters
from busline.fetch.mirror import find_mirror
from busline.study_weights import missing_files, without

KEPT = {
    "params.yaml": "params.yaml",
    "dvc.lock": "dvc.lock",
    "metrics.json": "reports/metrics.json",
    "report.md": "reports/report.md",
}
"""Files of docs/results/<name>/ and where the experiment has them; none holds a pixel."""
WORDS = ("null", "true", "false", "nan", "inf")
"""What `--set-param` takes for something else than text."""


def main(
    name: Annotated[str, typer.Argument(help="A file of studies/, without its suffix.")],
    settings: Annotated[
        list[str] | None, typer.Option("-S", "--set-param", help="A further setting, key=value.")
    ] = None,
) -> None:
    """Run the study and write docs/results/<name>/: parameters, lock, metrics and the report without pictures."""
    own = read_study(Path("studies"), name)
    given = dict(parse_setting(setting) for setting in settings or [])
    left_out = leave_out(apply_settings(read_parameters(Path("params.yaml")), {**own, **given}))
    changes = {**own, **given, **left_out}
    reference = experiment_reference(name)
    run_experiment(name, [f"{key}={format_value(value)}" for key, value in changes.items()], "--force")
    keep_results(reference, Path("docs/results") / name)


def read_study(folder: Path, name: str) -> dict[str, Any]:
    """Read a study's settings: dotted keys of params.yaml and their values.

    Raises:
        BuslineError: if there is no such study, or it is no mapping of words.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = [file.stem for file in folder.glob("*.yaml")]
        raise BuslineError(str(path), "there is no such study", mend=near_matches(name, known))
    content = _read_yaml(path.read_bytes(), str(path))
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise BuslineError(str(path), "is no mapping", expected="one `dotted.key: value` a line")
    return content


def parse_setting(setting: str) -> tuple[str, Any]:
    """Return key and value of `key=value` as `dvc exp run -S` takes it, the value read as YAML.

    Raises:
        ParameterError: if it has no value, or one that is no YAML.
    """
    key, equals, value = setting.partition("=")
    if not equals:
        raise ParameterError(f"-S {setting}", "has no value", expected="key=value")
    return key.strip(), _read_yaml(value.encode(), f"-S {setting}")


def _read_yaml(text: bytes, where: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text.decode())
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(
            where, f"is no YAML ({str(error).splitlines()[0]})", mend="mind quotes and brackets"
        ) from error


def apply_settings(content: Mapping[str, Any], settings: Mapping[str, Any], where: str = "params.yaml") -> Params:
    """Return the parameters with some values changed.

    Args:
        content: of params.yaml; it stays as it is.
        settings: the new values by dotted key; a key that is new begins with +, as for `dvc exp run -S`.
        where: the file that asks for them, for the error.

    Raises:
        ParameterError: for a key that params.yaml has not, a mapping as value, or parameters that cannot be.
    """
    changed = copy.deepcopy(dict(content))
    for key, value in settings.items():
        if isinstance(value, dict):
            raise ParameterError(where, f"{key} is set to a mapping", mend="set its keys one by one, as a.b: value")
        _set_value(changed, key, value, where)
    return parse_settings(Params, changed, where)


def _set_value(content: dict[str, Any], key: str, value: Any, where: str) -> None:
    *parents, last = key.lstrip("+").split(".")
    section: Any = content
    for place, part in enumerate([*parents, last]):
        known = section if isinstance(section, dict) else {}
        if part not in known and not (isinstance(section, dict) and key.startswith("+")):
            mend = near_matches(part, known) if known else ""
            raise ParameterError(where, f"{key} is no key of params.yaml", mend=mend)
        if place == len(parents):
            section[part] = value
        else:
            section = section.setdefault(part, {})


def leave_out(params: Params) -> dict[str, Any]:
    """Return the settings that leave out what starts from weights that are nowhere, and say so."""
    missing = missing_files(params, find_mirror())
    for name, models in missing.items():
        print(
            f"note: {name} of weights.files is neither here nor to be downloaded; {', '.join(models)} cannot have it:"
        )
        print("      image models are left out, outlines are learnt from random weights, and the report says so")
    return without(params, missing)


def format_value(value: Any) -> str:
    """Write a value as `--set-param` reads it: text that may be taken for something else stands in quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ",".join(format_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{format_value(item)}" for key, item in value.items()) + "}"
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./+-]*", str(value)) and str(value).lower() not in WORDS
    if not isinstance(value, str) or plain:
        return str(value)
    quoted = re.sub(r"(\\*)'", r"\1\1\\'", value)
    return "'" + re.sub(r"(\\+)$", r"\1\1", quoted) + "'"


def experiment_reference(name: str) -> str:
    """Return where DVC keeps an experiment of that name that starts from the present commit."""
    commit = git("rev-parse", "HEAD").strip()
    return f"refs/exps/{commit[:2]}/{commit[2:]}/{name}"


def run_experiment(name: str, settings: Sequence[str], *options: str) -> None:
    """Run the pipeline as a DVC experiment in a folder of its own, which leaves the workspace as it is.

    Args:
        name: of the experiment.
        settings: parameters to set, as key=value.
        options: further options and targets of `dvc exp run`.

    Raises:
        BuslineError: if the run does not end well.
    """
    command = ["dvc", "exp", "run", "--temp", "--name", name, *options]
    for setting in settings:
        command += ["--set-param", setting]
    environment = dict(os.environ)
    for variable in ("BUSLINE_MIRROR", "BUSLINE_CACHE"):  # as seen from here, not from the experiment's folder
        if place := environment.get(variable):
            environment[variable] = str(Path(place).expanduser().resolve())
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603  # fixed program, no shell
        mend = "see above; finished stages are kept"
        raise BuslineError(f"experiment {name}", "the run did not end well", mend=mend)


def keep_results(reference: str, folder: Path) -> None:
    """Copy the experiment's small results from its Git reference into ``folder``, all or none; its other files stay."""
    if not git("for-each-ref", reference):
        raise BuslineError(reference, "DVC kept no experiment of that name")
    with atomic_folder(folder) as part:
        if folder.is_dir():
            shutil.copytree(folder, part, dirs_exist_ok=True)
        for target, source in KEPT.items():
            (part / target).write_text(git("show", f"{reference}:{source}"), encoding="utf-8", newline="\n")


def git(*arguments: str) -> str:
    """Return what a Git command prints."""
    command = ["git", *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout  # noqa: S603  # no shell


def run() -> None:
    """Run the command ``busline-study``."""
    run_stage(main)


if __name__ == "__main__":
    run()
