"""The comparison as text."""

from sklearn_ae.inspection.baselines._intervals import METRICS

_TITLES = dict(
    zip(METRICS, ("ROC AUC", "average precision", "recall at 1%", "recall at 5%"), strict=True)
)


def format_comparison(comparison):
    """Write a comparison as aligned tables.

    Parameters
    ----------
    comparison : BaselineComparison

    Returns
    -------
    text : str
    """
    return "\n".join(
        [
            *_align(_metric_cells(comparison)),
            "",
            *_align(_cost_and_probe_cells(comparison)),
            "",
            *_notes(comparison),
            "",
            comparison.advice,
        ]
    )


def _metric_cells(comparison):
    yield "", *_TITLES.values()
    for entry in comparison.results:
        yield (
            entry["method"],
            *(
                f"{entry[name]:.3f} [{entry[f'{name}_low']:.3f}, {entry[f'{name}_high']:.3f}]"
                for name in METRICS
            ),
        )


def _cost_and_probe_cells(comparison):
    names = list(dict.fromkeys(entry["probe"] for entry in comparison.probes))
    yield "", "fit, s", "score, s", *names
    for entry in comparison.results:
        probes = [probe for probe in comparison.probes if probe["method"] == entry["method"]]
        yield (
            entry["method"],
            f"{entry['fit_seconds']:.2g}",
            f"{entry['score_seconds']:.2g}",
            *(f"{probe['share_accepted']:.0%}{'!' * probe['failed']}" for probe in probes),
        )


def _notes(comparison):
    kind = "synthetic anomalies" if comparison.synthetic else "anomalies"
    yield (
        f"Fitted to {comparison.n_train} normal samples, judged on {comparison.n_normals} others "
        f"and {comparison.n_anomalies} {kind}."
    )
    yield "Brackets: 95% intervals. Recalls: at 1% and 5% false alarms."
    yield "Probes: the share that passes for normal, at 5% false alarms; ! is a failure."
    for probe in comparison.probes:
        if probe["fall"] > 0:
            yield (
                f"The score of {probe['method']} falls along {probe['probe']} from "
                f"t = {probe['falls_from']:.3g} on, by up to {probe['fall']:.0%} of its rise."
            )


def _align(rows):
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join([name.ljust(widths[0]), *padded])
