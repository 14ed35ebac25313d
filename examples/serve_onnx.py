"""
Serve an exported detector with ONNX Runtime alone
==================================================

This program needs ``pip install onnxruntime`` and nothing else: no TensorFlow, no scikit-learn, and
not the package that trained the detector. :doc:`plot_onnx_export` makes a model for it.

.. code-block:: console

   $ python serve_onnx.py model.onnx samples.npy

It prints a line for each sample. Whatever the model says of itself, it reads from the model.
"""

import argparse
import json

import numpy as np
import onnxruntime


class Server:
    """An exported detector: check samples, and score them.

    Parameters
    ----------
    path : str
        File that `sklearn_ae.deployment.to_onnx` wrote.
    """

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        texts = self.session.get_modelmeta().custom_metadata_map
        self.about = {name: json.loads(text) for name, text in texts.items()}

    def score(self, samples):
        """Return the outputs of the model by name, one row for each sample."""
        contract = self.about["input"]
        if list(samples.shape[1:]) != contract["shape"][1:] or samples.dtype != contract["dtype"]:
            raise ValueError(f"Samples must be {contract}: {samples.dtype}, {samples.shape}")
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, {"input": samples}), strict=True))


# %%
# Samples are scored in batches of bounded memory; the batch axis of the model is free.


def main(model, file, batch_size=256):
    server = Server(model)
    samples = np.load(file, mmap_mode="r")
    # All but the map, which is an image a sample.
    columns = [output.name for output in server.session.get_outputs() if len(output.shape) == 1]
    print(",".join(["sample", *columns, "meaning"]))
    for begin in range(0, len(samples), batch_size):
        outputs = server.score(np.asarray(samples[begin : begin + batch_size]))
        for i, row in enumerate(zip(*(outputs[name] for name in columns), strict=True), begin):
            meaning = server.about["labels"][str(outputs["label"][i - begin])]
            print(",".join([str(i), *(f"{value:.8g}" for value in row), meaning]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Score samples with an exported detector.")
    parser.add_argument("model", help="file that sklearn_ae.deployment.to_onnx wrote")
    parser.add_argument("samples", help="file of numpy.save, samples such as the detector takes")
    arguments = parser.parse_args()
    main(arguments.model, arguments.samples)
