"""Explorers: a model, a tokenizer, controls and views.

The reader moves a control, the explorer asks the model again and hands its views the new answer.
"""

from .attention import AttentionExplorer
from .base import Explorer
from .corruption import CorruptionExplorer
from .embeddings import EmbeddingExplorer
from .errors import ErrorExplorer
from .live_training import LiveTrainingChart
from .mask import MaskExplorer
from .predictions import PredictionExplorer
from .replaced_tokens import ReplacedTokenExplorer
from .training import TrainingExplorer

__all__ = [
    "AttentionExplorer",
    "CorruptionExplorer",
    "EmbeddingExplorer",
    "ErrorExplorer",
    "Explorer",
    "LiveTrainingChart",
    "MaskExplorer",
    "PredictionExplorer",
    "ReplacedTokenExplorer",
    "TrainingExplorer",
]
