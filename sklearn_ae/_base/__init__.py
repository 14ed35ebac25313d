"""What all rooms stand on: checks, files, progress, order statistics, the environment of Keras.

Imports no other room. All of them use it.
"""
