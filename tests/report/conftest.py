"""Reports of a small made study."""

import pytest
from made_report import evaluated, study_inputs, study_params

from busline.base.params import Params
from busline.report.figures import draw_figures
from busline.report.summarise import ReportInputs, summarise


@pytest.fixture(scope="session")
def params() -> Params:
    return study_params()


@pytest.fixture(scope="session")
def evaluation(params):
    return evaluated(params, ["logreg", "random_forest"], ["custom_cnn", "tiny_net"])


@pytest.fixture
def inputs(params, evaluation) -> ReportInputs:
    """A report's inputs as the stage reads them; each test may change its own copy."""
    return study_inputs(params, evaluation)


@pytest.fixture(scope="session")
def report_of():
    """A report's inputs of any evaluation and its parameters."""
    return study_inputs


@pytest.fixture(scope="session")
def figures(params, evaluation):
    """The figures of the unchanged inputs: drawing takes seconds."""
    return draw_figures(summarise(study_inputs(params, evaluation)), evaluation.plots)
