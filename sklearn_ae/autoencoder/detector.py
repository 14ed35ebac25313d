"""AutoencoderAnomalyDetector: a scikit-learn outlier detector around a Keras autoencoder."""

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import ClassifierTags, check_random_state

from sklearn_ae._base.holdout import hold_out, offset_at_false_alarm_rate, offset_of_held_out
from sklearn_ae._base.sklearn_compat import _fit_context
from sklearn_ae.autoencoder.fitted_state import KeptCallbacksMixin, restored_on_failure
from sklearn_ae.autoencoder.outputs import AutoencoderTransformerMixin
from sklearn_ae.autoencoder.parameters import PARAMETER_CONSTRAINTS, check_nested_parameters
from sklearn_ae.autoencoder.row_hashes import remember_rows
from sklearn_ae.autoencoder.samples import validate_training_data
from sklearn_ae.autoencoder.scores import check_anomaly_score
from sklearn_ae.autoencoder.tiling import cut_training_tiles, score_images
from sklearn_ae.metrics._labels import warn_if_anomalies_are_labeled
from sklearn_ae.thresholds._deciding import DecidingMixin


class AutoencoderAnomalyDetector(
    DecidingMixin, AutoencoderTransformerMixin, KeptCallbacksMixin, OutlierMixin, BaseEstimator
):
    """Anomaly detection by the reconstruction error of an autoencoder.

    The autoencoder is trained on normal samples to reproduce its input from a short code [1]_. It
    reproduces samples like those and fails on others, so a sample that differs from its
    reconstruction is abnormal. `anomaly_score` says how that is measured, and what else counts.
    Read more in the user guide.

    Parameters
    ----------
    architecture : "auto", object with `build`, or callable, default="auto"
        Network to train, one of :mod:`sklearn_ae.architectures` or your own: a callable, or an
        object with a method `build`, which takes `input_shape` and `latent_dim`. It returns an
        encoder and a decoder, two Keras models, or one model from input to reconstruction. The
        weights are drawn from `random_state`, pretrained ones too, unless their layers are not
        trainable. If "auto", :class:`.ConvAutoencoder` for images from 8×8 pixels, else
        :class:`.DenseAutoencoder`.
    latent_dim : "auto" or int, default="auto"
        Length of the code. The longer, the better anomalies are reconstructed too. "auto" is 16 for
        images and 32 for rows and for the features of a position.
    input_shape : tuple of int or None, default=None
        ``(height, width)`` or ``(height, width, channels)`` of the images that the rows of X are
        folded into. None takes X as it is.
    region_of_interest : array-like of shape (height, width), bool, or None, default=None
        Pixels that are looked at: what is outside, the background of a part say, has no influence
        on training, scores and maps, which are 0 there. A mask for all images, not available with
        `tile_size`. None looks at all.
    tile_size : int, tuple of int or None, default=None
        Height and width, in pixels, of the tiles that images of any size are cut into: the network
        is fitted to as many random tiles as cover each image, an image scores like its most
        abnormal tile, and the maps of its tiles are blended. X may then be a list of images of
        different sizes. None takes images, all of one size, whole.
    tile_overlap : float, default=0.25
        Share of a tile, in [0, 1), that neighbors have in common at least. Not used without
        `tile_size`.
    scaling : {"auto", "range", "standard"} or None, default="auto"
        How values are scaled, inside the network. "range" divides unsigned integers by the largest
        number of their type, "standard" makes mean 0 and variance 1 of each feature or channel of
        the training rows, None leaves values as they are. "auto" is "range" for uint8 and uint16
        images, None for floats in [0, 1], else "standard".
    loss : str, keras.losses.Loss or callable, default="auto"
        What the training minimizes. "auto" is binary cross-entropy for scaled values in [0, 1],
        else the mean squared error. With binary cross-entropy the output is a sigmoid.
    optimizer : str, subclass or instance of keras.optimizers.Optimizer, default="adam"
        An instance is copied, never changed.
    learning_rate : "auto", float or None, default="auto"
        Step size of an optimizer given by name or class; None is the optimizer's own. "auto" falls
        over `epochs` from twice that to 0, along half a cosine [3]_, which costs nothing and
        detected better on most classes. It does not touch instances, classes that are not Keras's
        own, and any optimizer beside callbacks that set the learning rate,
        :class:`keras.callbacks.LearningRateScheduler` and
        :class:`keras.callbacks.ReduceLROnPlateau`. For a schedule of Keras, pass an instance:
        ``optimizer=keras.optimizers.Adam(schedule)``.
    epochs : "auto" or int, default="auto"
        Largest number of passes over the training rows. "auto" is 15 epochs for images and 60 for
        rows, each of as many passes as make 64 steps: few rows get as many steps as they need.
    batch_size : int, default=32
        Number of rows per step. Of features, 16 positions for each.
    validation_fraction : float, default=0.1
        Share of the rows, in [0, 1), that the network is not fitted to: they choose the best epoch
        and, with `false_alarm_rate`, the threshold. If it is 0, or X has fewer than 20 rows, all
        rows serve for both, with a warning.
    trim : float, default=0.0
        Share of the rows, in [0, 0.5), rounded down, that is left out because unnoticed anomalies
        may be among them: the training and the held-out rows whose anomaly score is highest after
        a warm-up [2]_, of an eighth of `epochs` without `patience`, `callbacks` and output. The
        score is that of "auto" for images, the squared error for rows and features. Then the
        training begins, from the initial weights and with the units of the rows that are kept. With
        `warm_start` the earlier fit is the warm-up.
    patience : int or None, default=5
        Number of epochs without a lower validation loss after which the training ends. None runs
        all epochs. Either way the weights of the best epoch are kept.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Each fit uses copies, which are `callbacks_` after it. With methods for batches of their
        own, they are called for every batch, and the fit of a small network takes longer.
    anomaly_score : str or object with `compute` or `compute_from`, default="auto"
        Anomaly score, one of :mod:`sklearn_ae.scores` or your own. It is computed in scaled units
        from the sample, its reconstruction and its code. All but :class:`.CombinedScore` also go
        by name, such as "smoothed_error". If "auto", a combination that detected best on average:

        - images: :class:`.CodeDifference`, :class:`.HiddenDifference` and, from 100 training
          images, :class:`.LatentDistance`; without a code :class:`.SmoothedError`;
        - rows: :class:`.WhitenedError` and :class:`.NeighborDistance`;
        - features: :class:`.PositionError` and, from 100 training images, :class:`.PooledDistance`.
    false_alarm_rate : float, default=0.05
        Largest expected share, in (0, 1), of new normal samples that are flagged as anomalies. It
        sets the threshold from the scores of the held-out samples, none of which counts in what its
        own score is fitted to. At least ``1 / false_alarm_rate - 1`` of them are needed; with
        fewer, `fit` warns. Nominal: the same samples choose the best epoch, and the rate of a
        single fit varies. With `trim`, it refers to the samples that are kept: the more normal ones
        `trim` leaves out, the more are flagged. Not used if `threshold` is set. Setting it after a
        fit changes nothing until the next one: see `threshold`.
    threshold : float or None, default=None
        Anomaly score, in the units of `anomaly_score`, above which a sample is an anomaly.
        Setting it after a fit changes nothing until the next one. To change the threshold of a
        fitted detector, use ``FixedThresholdDetector(FrozenEstimator(detector), threshold=…)``.
    memory : str, pathlib.Path, joblib.Memory or None, default=None
        Folder of one's own that keeps trained weights (files in it are unpickled: trust them), so
        that fits which differ only in `anomaly_score`, `threshold`, `false_alarm_rate` or `verbose`
        train once, and a process waits for another that is at it. Not used, with a warning, unless
        `random_state` is an int, or with callbacks, `warm_start`, or layers, losses and optimizers
        that are not Keras's own.
    warm_start : bool, default=False
        Whether `fit` goes on from the fitted weights and scaling, with a new optimizer.
    random_state : int, RandomState instance or None, default=None
        Source of weights, held-out rows, the order of rows and noise. An int makes fits on one
        machine repeatable to the bit.
    verbose : {0, 1, 2}, default=0
        If 0, nothing. If 1, progress bars: Keras's bar of each epoch, which counts blocks of
        batches, on the standard output, and a bar of the samples scored, if they are many, on the
        standard error stream. If 2, one line an epoch.

    Attributes
    ----------
    model_ : keras.Model
        Inputs of shape ``(n, *input_shape_)`` to reconstructions, in the units of X. Missing, as
        are the next two, for an autoencoder of features.
    encoder_ : keras.Model
        Inputs to codes. Missing if the architecture is one model.
    decoder_ : keras.Model
        Codes to reconstructions, in the units of X. Missing if the architecture is one model.
    anomaly_score_ : object with `compute` or `compute_from`
        The score in use, fitted to held-out or training rows where it has to be. A copy.
    history_ : dict of str to list of float
        Loss ("loss") and validation loss ("val_loss") of each epoch of the last fit, and what
        callbacks add.
    callbacks_ : list of keras.callbacks.Callback
        The copies of `callbacks` that the last fit used, without their model: for example,
        ``callbacks_[0].stopped_epoch`` of a :class:`keras.callbacks.EarlyStopping`. Missing after
        `deployment.load`, and in pickles and copies that cannot hold them.
    n_epochs_ : int
        Number of epochs of the last fit.
    best_epoch_ : int
        Epoch, counted from 0, whose weights are kept.
    offset_ : float
        Threshold on `score_samples`: ``decision_function = score_samples - offset_``. Minus
        `threshold` if that is set, else the k-th smallest of the n `validation_scores_`, where
        k = ⌊false_alarm_rate · (n + 1)⌋ and at least 1. Of new normal samples, k / (n + 1) are
        expected below it.
    input_shape_ : tuple of int
        Shape of a sample in the network: ``(n_features,)`` or ``(height, width, channels)``.
    n_features_in_ : int
        Number of values of a sample.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X was a data frame with string names.
    training_scores_ : ndarray of shape (n_training,)
        `score_samples` of the rows that the network was fitted to, in the order of X.
    validation_scores_ : ndarray of shape (n_validation,)
        Scores of the held-out samples, in the order of X, as if they were new: where the anomaly
        score is fitted to them, by fits to the others. With `tile_size`, `score_samples`.
    validation_indices_ : ndarray of shape (n_validation,)
        Which rows of X were held out, and not trimmed.
    trimmed_indices_ : ndarray of shape (n_trimmed,)
        Which rows of X `trim` left out, ascending. Their scores are in neither of the above.

    See Also
    --------
    NormalsOnly : Drops labeled anomalies before a fit.
    FixedThresholdDetector : Another threshold without another fit.
    sklearn.ensemble.IsolationForest : Outlier detection by random trees.

    References
    ----------
    .. [1] M. Sakurada and T. Yairi, "Anomaly detection using autoencoders with nonlinear
       dimensionality reduction", MLSDA 2014, :doi:`10.1145/2689746.2689747`.
    .. [2] L. Beggel, M. Pfeiffer and B. Bischl, "Robust anomaly detection in images using
       adversarial autoencoders", ECML PKDD 2019, :arxiv:`1901.06355`.
    .. [3] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts",
       ICLR 2017, :arxiv:`1608.03983`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> rng = np.random.default_rng(0)
    >>> position = rng.normal(size=(500, 1))
    >>> X = np.hstack([position, position]) + rng.normal(scale=0.1, size=(500, 2))
    >>> detector = AutoencoderAnomalyDetector(latent_dim=1, random_state=0).fit(X)
    >>> detector.predict([[1, 1], [1, -1]])
    array([ 1, -1])
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS

    def __init__(
        self,
        *,
        architecture="auto",
        latent_dim="auto",
        input_shape=None,
        region_of_interest=None,
        tile_size=None,
        tile_overlap=0.25,
        scaling="auto",
        loss="auto",
        optimizer="adam",
        learning_rate="auto",
        epochs="auto",
        batch_size=32,
        validation_fraction=0.1,
        trim=0.0,
        patience=5,
        callbacks=None,
        anomaly_score="auto",
        false_alarm_rate=0.05,
        threshold=None,
        memory=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.architecture = architecture
        self.latent_dim = latent_dim
        self.input_shape = input_shape
        self.region_of_interest = region_of_interest
        self.tile_size = tile_size
        self.tile_overlap = tile_overlap
        self.scaling = scaling
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.trim = trim
        self.patience = patience
        self.callbacks = callbacks
        self.anomaly_score = anomaly_score
        self.false_alarm_rate = false_alarm_rate
        self.threshold = threshold
        self.memory = memory
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def set_params(self, **params):
        """Set parameters of the detector and of its architecture and score.

        Parameters
        ----------
        **params : dict
            Values by name; ``architecture__filters`` is the parameter `filters` of the
            architecture object, ``anomaly_score__sigma`` one of the score object.

        Returns
        -------
        self : AutoencoderAnomalyDetector
            The detector itself.

        Raises
        ------
        ValueError
            If there is no such parameter, or no architecture or score object to set it on.
        """
        check_nested_parameters(self, params)
        return super().set_params(**params)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the autoencoder to normal samples and set the threshold.

        If the fit fails or is interrupted, the detector is left as it was. It keeps a hash of each
        row, 8 bytes, so that :class:`.ConformalDetector` is not calibrated with rows of the fit.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Normal samples, at least 2. With `tile_size`, a list of images too.
        y : Ignored
            As in every outlier detector of scikit-learn. :class:`.NormalsOnly` reads it. If it
            labels anomalies, which are learned as normal here, a warning says so.

        Returns
        -------
        self : AutoencoderAnomalyDetector
            The fitted detector.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X cannot be used.
        TrainingDivergedError
            If the loss became NaN or infinite.
        """
        warn_if_anomalies_are_labeled(y)
        with restored_on_failure(self):
            previous = getattr(self, "_network", None) if self.warm_start else None
            samples = validate_training_data(self, X)
            self._sample_shape, self.input_shape_ = samples.sample_shape, samples.input_shape
            random_state = check_random_state(self.random_state)
            split = hold_out(len(samples.X), self.validation_fraction, random_state)
            data, data_split = samples, split
            if self._tiling is not None:
                X, data_split = cut_training_tiles(samples.X, self._tiling, split, random_state)
                data = samples._replace(X=X)
            data = data.with_limits()
            self._fitted_dtype = data.X.dtype.newbyteorder("=")
            self._fitted_max = float(data.limits.high.max())
            kept, unseen = self._fit_network(data, data_split, previous, random_state)
            training, validation = served = kept if self._tiling is None else split
            earlier = None if previous is None else self._row_hashes
            self._row_hashes = remember_rows(samples.X, earlier, samples.region)
            scores = self._score_samples(samples.X)
            self.trimmed_indices_ = np.setdiff1d(np.concatenate(split), np.concatenate(served))
            self.validation_indices_ = validation if len(validation) else training
            self.training_scores_ = scores[training]
            is_whole = self._tiling is None
            self.validation_scores_ = -unseen if is_whole else scores[self.validation_indices_]
            if self.threshold is not None:
                self.offset_ = -float(self.threshold)
            else:
                choose = offset_of_held_out if len(validation) else offset_at_false_alarm_rate
                self.offset_ = choose(self.validation_scores_, self.false_alarm_rate)
        return self

    def _fit_network(self, samples, split, previous, random_state):
        """Build and train the network, keep what it leaves, and return the rows that served."""
        from sklearn_ae.autoencoder.training.fitting import fit_network

        check_anomaly_score(self.anomaly_score, self.threshold)
        self._network, self.anomaly_score_, log, kept, held_out = fit_network(
            self, samples, split, previous, random_state
        )
        self.history_, self.best_epoch_, self.callbacks_ = log
        self.n_epochs_ = len(self.history_["loss"])
        return kept, held_out

    def score_samples(self, X):
        """Compute minus the anomaly score of each sample: the higher, the more normal.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Samples of the shape and in the units of the training data.

        Returns
        -------
        scores : ndarray of shape (n,), float64
            In the units of `anomaly_score`, at most 0 for the errors.
        """
        return self._score_samples(self._validate(X)[0])

    def _score_samples(self, X):
        from sklearn_ae.autoencoder.network import scoring

        # As in Keras, 2 is for log files, in which a bar would be a mess.
        options = {"is_progress_shown": self.verbose == 1}

        def score(X, **options):
            return -scoring.anomaly_scores(self._network, self.anomaly_score_, X, **options)

        if self._tiling is None:
            return score(X, **options)
        return score_images(X, self._tiling, score, **options)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        # Codes and reconstructions are float32, scores float64, whatever X is.
        tags.transformer_tags.preserves_dtype = []
        # Labels for `score` are of two kinds.
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags
