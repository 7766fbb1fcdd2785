"""Looking inside: a forward pass with everything that it computed, by name, and ways to change it.

``trace`` makes a ``Trace``. Views draw it; nothing in it needs the model again.
"""

from .difference import Change, Difference, difference
from .gradients import Gradients, InputXGradient, IntegratedGradients
from .interventions import (
    Intervention,
    PatchHidden,
    ReplaceAttention,
    SetEmbedding,
    SwitchOffHeads,
)
from .lens import Lens, logit_lens
from .result import Attributions, LayerTrace, Trace
from .rollout import attention_rollout
from .size import MAX_BYTES, estimated_bytes
from .tracing import trace

__all__ = [
    "MAX_BYTES",
    "Attributions",
    "Change",
    "Difference",
    "Gradients",
    "InputXGradient",
    "IntegratedGradients",
    "Intervention",
    "LayerTrace",
    "Lens",
    "PatchHidden",
    "ReplaceAttention",
    "SetEmbedding",
    "SwitchOffHeads",
    "Trace",
    "attention_rollout",
    "difference",
    "estimated_bytes",
    "logit_lens",
    "trace",
]
