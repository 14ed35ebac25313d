"""Configurations of networks that try to run code, or to take all memory or time."""

import copy
import functools
import itertools

from persistence_cases import altered, find, saved_bytes

LAYER = {"module": "keras.layers", "registered_name": None}


def layer(class_name, **config):
    return LAYER | {"class_name": class_name, "config": {"name": class_name.lower()} | config}


def operation(module, name, **config):
    """The configuration of an operation on tensors."""
    path = f"keras.src.ops.{module}"
    return {"module": path, "class_name": name, "config": config, "registered_name": name}


def sequential(*layers):
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "sequential", "trainable": True, "layers": list(layers)},
        "registered_name": "Sequential",
    }


def relu(number):
    config = {"name": f"relu_{number}", "activation": "relu"}
    return LAYER | {"class_name": "Activation", "config": config}


def inputs(*shape):
    return layer("InputLayer", batch_shape=[None, *shape], dtype="float32")


def tensor(name, shape=(6,)):
    history = {"shape": [None, *shape], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


def called(node, name, *calls):
    """Return a part of a functional model that is called with the output of others."""
    arguments = [{"args": [tensor(source)], "kwargs": {}} for source in calls]
    node = copy.deepcopy(node)
    node["config"]["name"] = name
    return node | {"name": name, "inbound_nodes": arguments}


def functional(*nodes, outputs):
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": "functional",
            "trainable": True,
            "layers": list(nodes),
            "input_layers": [["x", 0, 0]],
            "output_layers": [[outputs, 0, 0]],
        },
        "registered_name": "Functional",
    }


def nested(depth):
    """Return a model that calls a model twice, which calls a model twice, and so on."""
    model = functional(
        called(inputs(None), "x"),
        called(relu(0), "a", "x"),
        outputs="a",
    )
    for _ in range(depth):
        model = functional(
            called(inputs(None), "x"), called(model, "inner", "x", "x"), outputs="inner"
        )
    return model


def backwards(n_layers):
    """Return a model whose layers are listed from the last to the first."""
    names = ["x", *(f"a{i}" for i in range(n_layers))]
    nodes = [called(relu(0), b, a) for a, b in itertools.pairwise(names)]
    return functional(*reversed(nodes), called(inputs(6), "x"), outputs=names[-1])


def with_function(module, name):
    function = {"module": module, "class_name": "function", "config": name}
    return layer("Activation", activation=function | {"registered_name": name})


CODE = {
    "Lambda": layer("Lambda", function={"class_name": "__lambda__", "config": {"value": ["4wAA"]}}),
    "code": layer("Dense", activation={"class_name": "__lambda__", "config": {"value": ["4wAA"]}}),
    "file": layer("TFSMLayer", filepath="folder"),
    "vocabulary": layer("StringLookup", vocabulary="/etc/passwd"),
    "system": with_function("os", "system"),
    "open": with_function("builtins", "open"),
    "load": with_function("keras.saving", "load_model"),
    "deep": with_function("keras.activations", "relu.__globals__"),
    "download": layer("Dense") | {"module": "keras.utils", "class_name": "get_file"},
    "other package": layer("Popen", args=["touch", "code-ran"]) | {"module": "subprocess"},
    "no class": layer("deserialize") | {"module": "keras.layers"},
    "no layer": layer("Adam") | {"module": "keras.optimizers.Adam"},
    "type": {"class_name": "__typespec__", "config": [], "module": "tensorflow", "spec_name": "x"},
    "unregistered": layer("Mine") | {"registered_name": "mine>Mine", "module": "mine"},
    "borrowed name": layer("Popen")
    | {"module": "subprocess", "class_name": "sklearn_ae>KeepRegion", "registered_name": "Popen"},
    "old version": {"class_name": "Lambda", "config": {}},
    "old version, other layer": {"class_name": "Dense", "config": {"units": 3}},
    "no text": layer("Dense") | {"class_name": 3},
    "no module": layer("Dense") | {"module": 3},
    "compiled": layer("Dense", units=4) | {"compile_config": {"loss": "mse"}},
}

HUGE = 10**10
COST = {
    "units": [inputs(6), layer("Dense", units=HUGE)],
    "embedding": [inputs(6), layer("Embedding", input_dim=HUGE, output_dim=HUGE)],
    "constant mean": [inputs(HUGE), layer("Normalization", mean=0.0, variance=1.0)],
    "mean": [inputs(HUGE), layer("Normalization")],
    "built later": [layer("Dense", units=HUGE)],
    "text": [inputs(6), layer("Rescaling", scale={"class_name": "__numpy__", "config": {}})],
    "many": [inputs(6), *(relu(i) for i in range(10**5))],
    "one after the other": [inputs(6), *(relu(i) for i in range(500))],
}
COST["text"][1]["config"]["scale"]["config"] = {"value": [""] * 100, "dtype": "S1000000000"}
CONFIGS = {
    **{name: sequential(inputs(6), node) for name, node in CODE.items()},
    **{name: sequential(*nodes) for name, nodes in COST.items()},
    "pieces": functional(
        called(inputs(HUGE), "x"),
        called(operation("numpy", "Split", indices_or_sections=HUGE, axis=1), "split", "x"),
        outputs="split",
    ),
    "as many pieces as there are": functional(
        called(inputs(HUGE), "x"),
        called(operation("core", "Unstack", num=None, axis=1), "split", "x"),
        outputs="split",
    ),
    "calls": functional(
        called(inputs(6), "x"),
        called(relu(0), "y", "x") | {"inbound_nodes": [0] * 2_000_000},
        outputs="y",
    ),
    "twice in twice": nested(50),
    "lists in lists": functools.reduce(lambda inner, _: [inner], range(800), inputs(6)),
    "backwards": backwards(2_000),
    "no config": {},
    "number": 3,
    "endless": functional(called(relu(0), "x", "y"), called(relu(0), "y", "x"), outputs="x"),
}


def with_network(config):
    """Return a file whose encoder is something else."""

    def change(manifest, _):
        find(manifest, lambda node: node.get("type") == "network")["parts"][0]["config"] = config

    return altered(saved_bytes("rows"), change)
