"""The main example on a few images. The documentation build runs all examples as they are."""

import runpy
import sys
from functools import partial
from pathlib import Path

import pytest

import sklearn_ae
from sklearn_ae.datasets import load_mnist_one_zero

pyplot = pytest.importorskip("matplotlib.pyplot", reason="the examples draw with matplotlib")

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "plot_mnist_one_vs_zero.py"
PICTURES = ["loss_curve.png", "reconstructions.png", "roc_curve.png", "score_histogram.png"]


@pytest.fixture
def run_example(monkeypatch, tmp_path):
    """Run the example with options; return its variables and the folder of its pictures."""
    digits = load_mnist_one_zero()
    for name in ["X_train", "y_train", "X_test", "y_test"]:
        digits[name] = digits[name][:50]
    small_network = partial(sklearn_ae.ConvDenseAutoencoder, filters=(2, 2), units=(8,))
    monkeypatch.setattr(sklearn_ae.datasets, "load_mnist_one_zero", lambda: digits)
    monkeypatch.setattr(sklearn_ae, "ConvDenseAutoencoder", small_network)
    folder = tmp_path / "some" / "folder"

    def run(*options):
        monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *options, "--output", str(folder)])
        return runpy.run_path(str(EXAMPLE), run_name="__main__"), folder

    yield run
    pyplot.close("all")


def check_what_it_leaves(printed, variables, folder):
    for figure in ["ROC AUC", "accuracy", "precision of anomalies", "recall of anomalies"]:
        assert f"\n{figure}  " in printed
    assert str(folder) in printed
    assert sorted(path.name for path in folder.iterdir()) == PICTURES
    # None of the 0s among the training images was learned.
    detector, n_ones = variables["detector"], (variables["digits"].y_train == 1).sum()
    assert len(detector.training_scores_) + len(detector.validation_scores_) == n_ones


def test_default(run_example, capsys):
    variables, folder = run_example()
    check_what_it_leaves(capsys.readouterr().out, variables, folder)


def test_article_is_another_network_trained_for_all_epochs(run_example, capsys):
    variables, folder = run_example("--article")
    check_what_it_leaves(capsys.readouterr().out, variables, folder)
    assert "ConvDenseAutoencoder" in repr(variables["detector"].architecture)
    assert len(variables["detector"].history_["loss"]) == 30
