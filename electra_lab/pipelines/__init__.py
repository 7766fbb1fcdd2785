"""Pipelines: text in, answers out, with the names and result fields of transformers' pipelines.

``base`` runs a model over many texts; ``words``, ``classification``, ``tagging``, ``answers`` and
``generation`` turn its outputs into answers; ``factory`` finds the right one for a task.
"""

from .factory import TASKS, pipeline

__all__ = ["TASKS", "pipeline"]
