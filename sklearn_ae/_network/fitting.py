"""From the detector's parameters and data to a trained network."""

from sklearn_ae._network import building, compiling, memoizing, scoring
from sklearn_ae._network.processes import check_not_forked
from sklearn_ae._scaling import fit_scaling, scaled_limits
from sklearn_ae.architectures import resolve_architecture


def fit_network(
    X,
    training_rows,
    validation_rows,
    *,
    limits,
    input_shape,
    parameters,
    anomaly_score,
    previous,
    random_state,
):
    """Build a network and train it.

    Parameters
    ----------
    X : ndarray of shape (n, *input_shape)
        Raw values.
    training_rows, validation_rows : ndarray of int
        Rows to fit to, and held-out rows that choose the best epoch.
    limits : Limits
        Smallest and largest values of X.
    input_shape : tuple of int
        Shape of a sample as the network sees it.
    parameters : dict
        The detector's.
    anomaly_score : object with `compute`
        Tried before the training, so that one that cannot work is refused before it.
    previous : Network or None
        Network to go on from, with its scaling and its weights.
    random_state : numpy.random.RandomState
        Source of every seed.

    Returns
    -------
    network : Network
    log : TrainingLog
    """
    # What can be refused is refused before anything is built.
    check_not_forked()
    optimizer = compiling.resolve_optimizer(parameters["optimizer"], parameters["learning_rate"])
    compiling.check_callbacks(parameters["callbacks"])
    memory = memoizing.open_memory(parameters)
    if previous is None:
        scaling = fit_scaling(parameters["scaling"], X, training_rows, limits[:2])
    else:
        building.check_input_shape(previous, input_shape)
        scaling = previous.scaling
    limits = scaled_limits(scaling, limits[:2])
    loss = compiling.resolve_loss(parameters["loss"], limits)
    network = building.build_network(
        resolve_architecture(parameters["architecture"], input_shape),
        input_shape,
        parameters["latent_dim"],
        scaling=scaling,
        use_sigmoid=compiling.is_binary_crossentropy(loss),
        random_state=random_state,
    )
    if building.ends_in_sigmoid(network):
        compiling.check_sigmoid(limits)
    if previous is not None:
        building.copy_weights(previous, network)
    scoring.anomaly_scores(network, anomaly_score, X[:1])
    log = memoizing.train(
        memory,
        network,
        X,
        training_rows,
        validation_rows,
        loss=loss,
        optimizer=optimizer,
        settings=parameters,
        random_state=random_state,
    )
    return network, log
