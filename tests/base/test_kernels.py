import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from busline.base.kernels import BLAS_CORE, NUMPY_OFF, cap_kernels
from helpers_cohort import ROOT, files_of, run_stage, write_params

SEEN = "from numpy._core._multiarray_umath import __cpu_features__ as f, __cpu_dispatch__ as d"


def _run(code: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NPY_DISABLE_CPU_FEATURES": ""}
    environment["OPENBLAS_CORETYPE"] = "Nehalem"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _dispatch() -> list[str]:
    return _run(f"{SEEN}; print(*(name for name in d if f[name]))").split()


def test_what_a_user_switched_off_stays_off_and_the_rest_is_capped():
    environment = {"NPY_DISABLE_CPU_FEATURES": "X86_V3,X86_V4", "OPENBLAS_CORETYPE": "SkylakeX"}

    cap_kernels(environment, "AMD64")

    assert environment["NPY_DISABLE_CPU_FEATURES"].split() == ["X86_V3", "X86_V4", "AVX512_ICL", "AVX512_SPR"]
    assert environment["OPENBLAS_CORETYPE"] == BLAS_CORE


def test_other_architectures_are_left_alone():
    environment: dict[str, str] = {}

    cap_kernels(environment, "arm64")

    assert environment == {}


def test_numpy_knows_every_level_by_its_name():
    known = _run(f"{SEEN}; print(*d)").split()

    assert set(NUMPY_OFF) < set(known)
    assert set(known) - set(NUMPY_OFF) == {"X86_V3"}, "NumPy has a level that nobody decided on"


def test_a_process_that_imports_the_package_runs_capped_kernels():
    seen = _run(f"import busline; {SEEN}; print(*(name for name in d if f[name]))").split()
    core = _run(
        "import busline, numpy, scipy.linalg, threadpoolctl;"
        "print(*{i['architecture'] for i in threadpoolctl.threadpool_info() if i['internal_api'] == 'openblas'})",
    )

    assert not set(seen) & set(NUMPY_OFF)
    assert core == BLAS_CORE


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[dict[str, bytes]]:
    """What acquire and ingest write with nothing switched off by hand, then with every level from one upwards."""
    found = [name for name in NUMPY_OFF if name in _dispatch()]
    return [
        _write(tmp_path_factory.mktemp("data"), off)
        for off in ("", *(" ".join(found[start:]) for start in range(len(found))))
    ]


def _write(root: Path, off: str) -> dict[str, bytes]:
    size = {f"data__cohorts__phantom__phantom__{key}": value for key, value in (("cases", 12), ("normal", 1))}
    params = write_params(root / "params.yaml", **size)
    for stage in ("acquire", "ingest"):
        done = run_stage(stage, "phantom", "--params", params, "--root", root, NPY_DISABLE_CPU_FEATURES=off)
        assert done.returncode == 0, done.stderr
    return files_of(root / "data")


def test_raw_data_and_cohort_are_the_same_under_every_dispatch_level(written):
    assert len(written[0]) > 20
    assert all(other == written[0] for other in written)


def test_gray_levels_are_those_that_any_processor_with_avx2_makes(written):
    digest = hashlib.sha256()
    for name in sorted(name for name in written[0] if name.endswith(".png")):
        digest.update(np.asarray(Image.open(io.BytesIO(written[0][name]))).tobytes())

    assert digest.hexdigest() == "586ce683635f9532c85a943b78174d3cf81e997d57e2d0d7fdb028b16216e458"
