"""Views: data in, picture out. A view never calls a model; an explorer does and hands it new data.

One view shows itself in four ways, so that something true is seen everywhere:

- a live widget, in JupyterLab, Notebook 7, VS Code and Colab;
- a static page, the widget's own ES module without a kernel, in exported HTML;
- a PNG, on GitHub and in stored notebooks;
- a text (``repr``), beside the PNG and wherever there is nothing else.

``display_mode`` says which of them a cell's output holds.
"""

from .attention_view import AttentionView
from .attribution_map import AttributionMap
from .base import View
from .bertviz_views import BertvizView, head_view, model_view, neuron_view
from .calibration_chart import CalibrationChart
from .change_chart import ChangeChart
from .described import DescribedFigure
from .display import display_mode
from .error_view import ErrorView
from .fooled_view import FooledView
from .lattice import Lattice
from .projector import Cloud, Projector
from .proposal_chart import ProposalChart
from .replay_view import ReplayView
from .span_chart import Span, SpanChart
from .token_heat_map import TokenHeatMap
from .training_chart import TrainingChart

__all__ = [
    "AttentionView",
    "AttributionMap",
    "BertvizView",
    "CalibrationChart",
    "ChangeChart",
    "Cloud",
    "DescribedFigure",
    "ErrorView",
    "FooledView",
    "Lattice",
    "Projector",
    "ProposalChart",
    "ReplayView",
    "Span",
    "SpanChart",
    "TokenHeatMap",
    "TrainingChart",
    "View",
    "display_mode",
    "head_view",
    "model_view",
    "neuron_view",
]
