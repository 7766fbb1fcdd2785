"""Checkpoints: where they are found, how parameters are called on disk, how a pair is loaded."""
