"""What Keras compiles a model with: loss and optimizer, and when two fits can share it."""

from numbers import Real

import keras

from sklearn_ae.autoencoder.network.fingerprints import fingerprint, is_keras


def resolve_optimizer(optimizer, learning_rate):
    """Return a fresh optimizer for the detector's parameters, which stay as they are.

    Parameters
    ----------
    optimizer : str, subclass or instance of keras.optimizers.Optimizer
    learning_rate : "auto", float or None
        "auto" leaves the optimizer its own, see :class:`CosineDecay`.

    Returns
    -------
    optimizer : keras.optimizers.Optimizer

    Raises
    ------
    ValueError
        If both an instance and a learning rate are given, or Keras knows no optimizer of that
        name.
    TypeError
        If `optimizer` is nothing that Keras can compile a model with, or `learning_rate` is a
        schedule.
    """
    _check_learning_rate(learning_rate)
    is_instance = isinstance(optimizer, keras.optimizers.Optimizer)
    if learning_rate == "auto":
        learning_rate = None
    if is_instance and learning_rate is not None:
        raise ValueError(
            "learning_rate must be 'auto' or None with an optimizer instance, which has its own. "
            f"Set one of the two. Received: learning_rate={learning_rate!r} and optimizer="
            f"{optimizer!r}."
        )
    if is_instance:
        return type(optimizer).from_config(optimizer.get_config())
    arguments = {} if learning_rate is None else {"learning_rate": learning_rate}
    if isinstance(optimizer, str):
        try:
            # With a name, or Keras would count up the names of the user's own optimizers.
            config = {"class_name": optimizer, "config": arguments | {"name": optimizer}}
            return keras.optimizers.get(config)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "optimizer must be the name of a Keras optimizer, such as 'adam' or 'sgd', or a "
                f"class or an instance. Received: {optimizer!r}."
            ) from error
    if not (isinstance(optimizer, type) and issubclass(optimizer, keras.optimizers.Optimizer)):
        raise TypeError(
            "optimizer must be the name of a Keras optimizer, a subclass of "
            f"keras.optimizers.Optimizer or an instance of one. Received: {optimizer!r}."
        )
    if is_keras(optimizer):
        arguments["name"] = optimizer.__name__.lower()
    return optimizer(**arguments)


def resolve_loss(loss, limits):
    """Return the loss for the detector's parameter.

    Parameters
    ----------
    loss : str, keras.losses.Loss or callable
        "auto" is binary cross-entropy for data in [0, 1], else the mean squared error.
    limits : tuple of two floats
        Smallest and largest value of the scaled training data.

    Returns
    -------
    loss : str, keras.losses.Loss or callable

    Raises
    ------
    ValueError
        If Keras knows no loss of that name, or the loss expects logits.
    """
    if isinstance(loss, str) and loss == "auto":
        return "binary_crossentropy" if _is_unit_range(limits) else "mean_squared_error"
    try:
        function = keras.losses.get(loss)
    except ValueError as error:
        raise ValueError(
            "loss must be 'auto', the name of a Keras loss, such as 'mean_squared_error', an "
            f"instance of keras.losses.Loss or a function. Received: {loss!r}."
        ) from error
    if isinstance(function, keras.losses.Loss) and function.get_config().get("from_logits"):
        raise ValueError(
            "loss must not expect logits: scores compare inputs with reconstructions, which are "
            f"probabilities then. Pass from_logits=False. Received: {loss!r}."
        )
    return loss


def is_binary_crossentropy(loss):
    """Return whether reconstructions must lie between 0 and 1 for the loss."""
    loss = keras.losses.get(loss)
    classes = (keras.losses.BinaryCrossentropy, keras.losses.BinaryFocalCrossentropy)
    functions = (keras.losses.binary_crossentropy, keras.losses.binary_focal_crossentropy)
    return isinstance(loss, classes) or loss in functions


def check_sigmoid(limits):
    """Refuse training data that a sigmoid output cannot reach.

    Parameters
    ----------
    limits : tuple of two floats
        Smallest and largest value of the scaled training data.

    Raises
    ------
    ValueError
        If they do not lie in [0, 1].
    """
    if not _is_unit_range(limits):
        raise ValueError(
            "X must lie in [0, 1] after scaling, for the network ends in a sigmoid. Scale X to "
            "[0, 1] and pass scaling=None, or pass loss='mean_squared_error' and an architecture "
            "that ends in a linear layer, as those of sklearn_ae do. Received: scaled values from "
            f"{limits[0]:.6g} to {limits[1]:.6g}."
        )


def check_callbacks(callbacks):
    """Refuse callbacks that Keras could not call.

    Parameters
    ----------
    callbacks : list or None

    Raises
    ------
    TypeError
        If an item is no instance of keras.callbacks.Callback.
    """
    for callback in callbacks or []:
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                "callbacks must be a list of instances of keras.callbacks.Callback. Received: "
                f"{callback!r} in it."
            )


def compile_key(network, loss, optimizer, callbacks):
    """Return what compiled models have in common that one can train instead of another.

    Returns
    -------
    key : tuple or None
        None if a part is not Keras's own: its name does not tell what it does.
    """
    # A LambdaCallback is Keras's own and runs anything.
    if not all(is_keras(type(c)) and type(c).__name__ != "LambdaCallback" for c in callbacks):
        return None
    known = (fingerprint(keras.losses.get(loss)), fingerprint(optimizer))
    key = (network.learned_configuration, *known)
    return None if None in key else key


def _check_learning_rate(learning_rate):
    """Refuse schedules: the learning rate of "auto" is one, and other ones belong to optimizers."""
    if learning_rate is None or isinstance(learning_rate, str | Real):
        return
    remedy = "pass a function of the epoch as callbacks=[keras.callbacks.LearningRateScheduler(f)]"
    if isinstance(learning_rate, keras.callbacks.Callback):
        remedy = "pass a callback as callbacks=[callback]"
    elif isinstance(learning_rate, keras.optimizers.Optimizer):
        remedy = "pass an optimizer as optimizer=optimizer"
    elif _is_schedule(learning_rate):
        remedy = (
            "pass a schedule inside of an optimizer instance, as optimizer="
            "keras.optimizers.Adam(schedule)"
        )
    raise TypeError(
        "learning_rate must be 'auto', a float above 0 or None. Leave it at 'auto' and "
        f"{remedy}. Received: learning_rate={learning_rate!r}."
    )


def _is_schedule(value):
    schedule = keras.optimizers.schedules.LearningRateSchedule
    return isinstance(value, schedule) or (isinstance(value, type) and issubclass(value, schedule))


def _is_unit_range(limits):
    return limits[0] >= 0 and limits[1] <= 1
