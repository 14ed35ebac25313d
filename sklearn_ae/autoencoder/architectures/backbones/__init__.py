"""Pretrained networks, one a file, and the reader of their weights.

Of `FeatureAutoencoder`, which imports them inside of functions.
"""
