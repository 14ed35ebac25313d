"""From figures to a sentence."""

import math

# Of fewer anomalies or normal samples, a resample says nothing about others.
MIN_SAMPLES = 10
# Of 100 pairs of an anomaly and a normal sample, one more in the right order: no one would notice.
SMALL_DIFFERENCE = 0.01
# Times vary from run to run by as much, ...
_NOTABLE_RATIO = 2
# ... and no one waits for less.
_NOTABLE_SECONDS = 0.1


def write_advice(detector, baseline, *, n_normals, n_anomalies, is_synthetic):
    """Say in a sentence whether the detector is worth its price.

    Parameters
    ----------
    detector, baseline : dict
        Entries of :attr:`.BaselineComparison.results`: the detector's, and that of the baseline
        with the largest ROC AUC.
    n_normals, n_anomalies : int
        Number of samples that they were judged on.
    is_synthetic : bool
        Whether the anomalies were made.

    Returns
    -------
    advice : str
        What the rules in the notes of :func:`.compare_with_baselines` say.
    """
    sentence = _compare(detector, baseline, n_normals=n_normals, n_anomalies=n_anomalies)
    if is_synthetic:
        return f"On synthetic anomalies, which real ones may not resemble: {sentence}"
    # The k of "k nearest neighbors" is a symbol.
    return sentence if sentence.startswith("k ") else sentence[0].upper() + sentence[1:]


def _compare(detector, baseline, *, n_normals, n_anomalies):
    if min(n_normals, n_anomalies) < MIN_SAMPLES:
        return (
            f"not enough samples to tell: there are {n_anomalies} anomalies and {n_normals} normal "
            f"ones to test on; label at least {MIN_SAMPLES} of each, better a hundred."
        )
    name, figures = baseline["method"], _describe(detector, baseline)
    low, high = baseline["difference_low"], baseline["difference_high"]
    if max(detector["roc_auc_low"], baseline["roc_auc_low"]) <= 0.5:
        return f"neither the detector nor any baseline is better than chance here ({figures})."
    size = "a little better" if abs(baseline["difference"]) <= SMALL_DIFFERENCE else "better"
    costs, verdict = _compare_costs(detector, baseline)
    also = f" and {costs}" if costs else ""
    if low > 0:
        return f"the detector is {size} than every baseline, {name} being next ({figures})."
    if high < 0:
        return f"{name} is {size} here than the detector ({figures}){also}: use it."
    if high <= SMALL_DIFFERENCE:
        return f"{name} is as good here as the detector ({figures}){also}: {verdict}."
    remark = f"; {name} is {costs}" if costs else ""
    return (
        f"the detector and {name} cannot be told apart here ({figures}){remark}: more labeled "
        "samples would tell."
    )


def _describe(detector, baseline):
    return (
        f"ROC AUC of the detector {detector['roc_auc']:.3f}, of {baseline['method']} "
        f"{baseline['roc_auc']:.3f}, difference {_signed(baseline['difference'])} "
        f"[{_signed(baseline['difference_low'])}, {_signed(baseline['difference_high'])}]"
    )


def _signed(value):
    # No difference is 0.000, not -0.000.
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")


def _compare_costs(detector, baseline):
    """Return what the baseline costs beside the detector, and which of equally good ones to use.

    The time to fit of a detector that was fitted before is unknown, and so left out.
    """
    costs, are_cheaper = [], set()
    for verb in ("fit", "score"):
        seconds = detector[f"{verb}_seconds"], baseline[f"{verb}_seconds"]
        shorter, longer = sorted(seconds)
        if (
            any(map(math.isnan, seconds))
            or longer < shorter + _NOTABLE_SECONDS
            or longer < shorter * _NOTABLE_RATIO
        ):
            continue
        is_cheaper = seconds[0] > seconds[1]
        count = f"{longer / shorter:.2g}" if longer < 99.5 * shorter else "over 100"
        costs.append(f"{count} times {'cheaper' if is_cheaper else 'dearer'} to {verb}")
        are_cheaper.add(is_cheaper)
    verdicts = {(True,): "use it", (False,): "keep the detector", (): "use either"}
    return ", ".join(costs), verdicts.get(tuple(are_cheaper), "choose by the time that matters")
