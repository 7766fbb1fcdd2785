"""Questions to many sentences at once, with an answer that is known: which head looks at what, which
heads matter, and what can be read off each layer."""

from .calibration import Calibration, calibrate
from .corrupted import Judged, judge_corrupted
from .errors import ErrorRecord, ErrorReport, find_errors
from .focus import AttentionFocus, attention_focus
from .fooled import Fooled, fooled_tokens
from .importance import head_importance
from .probing import LayerProbe, ProbeResult, probe_layers
from .relations import HeadRelation, RelationReport, head_relations
from .sentences import ParsedSentence, microworld_sentences, read_conllu
from .word_attention import word_attention

__all__ = [
    "AttentionFocus",
    "Calibration",
    "ErrorRecord",
    "ErrorReport",
    "Fooled",
    "HeadRelation",
    "Judged",
    "LayerProbe",
    "ParsedSentence",
    "ProbeResult",
    "RelationReport",
    "attention_focus",
    "calibrate",
    "find_errors",
    "fooled_tokens",
    "head_importance",
    "head_relations",
    "judge_corrupted",
    "microworld_sentences",
    "probe_layers",
    "read_conllu",
    "word_attention",
]
