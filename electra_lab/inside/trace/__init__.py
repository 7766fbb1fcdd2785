"""Looking inside: a forward pass with everything that it computed, by name, and ways to change it.

``trace`` makes a ``Trace``. Views draw it; nothing in it needs the model again.
"""

from .interventions import (
    Intervention,
    PatchHidden,
    ReplaceAttention,
    SetEmbedding,
    SwitchOffHeads,
)
from .result import Attributions, LayerTrace, Trace
from .size import MAX_BYTES, estimated_bytes
from .tracing import trace

__all__ = [
    "MAX_BYTES",
    "Attributions",
    "Intervention",
    "LayerTrace",
    "PatchHidden",
    "ReplaceAttention",
    "SetEmbedding",
    "SwitchOffHeads",
    "Trace",
    "estimated_bytes",
    "trace",
]
