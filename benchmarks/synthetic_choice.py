"""Compare the order of detectors by anomalies made from normal data with their true order.

On MNIST and on Fashion-MNIST, three classes are normal one after the other, and all other classes
are anomalies. Sixteen detectors are fitted to normal images: four code lengths of the convolutional
network and four of the dense one, each with two anomaly scores. Each is scored by
`synthetic_anomaly_scorer`, which sees held-out normal images alone, and by the ROC AUC of test
images with their true labels. Spearman's rank correlation tells how the two orders agree.
"""

import tempfile

import numpy as np
from _measuring import data_path, print_setting, print_table, use_repository
from scipy.stats import spearmanr

N_TRAINING, N_SYNTHETIC, N_TEST = 1000, 500, 2000
EPOCHS = 8
CLASSES = (1, 5, 8)
KINDS = ("mixed", "cut_paste", "scar", "blob", "missing", "brightness")


def main():
    rows = []
    for name in ("mnist", "fashion_mnist"):
        for normal in CLASSES:
            true, synthetic = aucs(name, normal)
            agreement = {kind: spearmanr(true, synthetic[kind]).statistic for kind in KINDS}
            chosen = true[int(np.argmax(synthetic["mixed"]))]
            cells = [f"{agreement[kind]:.2f}" for kind in KINDS]
            bounds = (f"{value:.3f}" for value in (chosen, max(true), np.median(true)))
            rows.append((name, normal, *cells, *bounds))
            print(rows[-1], flush=True)
    print()
    print_setting("tensorflow", "keras", "scikit-learn", "scipy", "numpy")
    print(
        f"{N_TRAINING} normal images to fit to, {N_SYNTHETIC} to make anomalies from, {N_TEST} "
        f"test images, {EPOCHS} epochs.\nSpearman's correlation over 16 detectors, by the kind of "
        "the anomalies; true ROC AUC of\nthe one chosen by 'mixed', of the best, and of the "
        "median.\n"
    )
    print_table(["data", "normal class", *KINDS, "chosen", "best", "median"], rows)


def aucs(name, normal):
    """Return the true AUC of each detector, and by kind the AUCs against anomalies made."""
    from sklearn.metrics import roc_auc_score

    from sklearn_ae.metrics import synthetic_anomaly_scorer

    with np.load(data_path(f"{name}.npz")) as file:
        normals = file["x_train"][file["y_train"] == normal]
        X_test, is_anomaly = file["x_test"][:N_TEST], file["y_test"][:N_TEST] != normal
    training, held_out = np.split(normals[: N_TRAINING + N_SYNTHETIC], [N_TRAINING])
    true, synthetic = [], {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        for detector in detectors(folder):
            detector.fit(training)
            true.append(roc_auc_score(is_anomaly, -detector.score_samples(X_test)))
            for kind in KINDS:
                synthetic[kind].append(synthetic_anomaly_scorer(kind)(detector, held_out))
    return true, synthetic


def detectors(folder):
    """Yield sixteen detectors; those that differ in the score share their training."""
    from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, DenseAutoencoder

    for architecture in (ConvAutoencoder(), DenseAutoencoder()):
        for latent_dim in (2, 8, 32, 128):
            for anomaly_score in ("absolute_error", "squared_error"):
                yield AutoencoderAnomalyDetector(
                    architecture=architecture,
                    latent_dim=latent_dim,
                    epochs=EPOCHS,
                    anomaly_score=anomaly_score,
                    memory=folder,
                    random_state=0,
                )


if __name__ == "__main__":
    use_repository()
    main()
