"""Every bundled set and its twin in the micro-world, learned with pre-training and without."""

from .task_results import learning_curve_figure, load_results, results_table, summary_table

__all__ = ["learning_curve_figure", "load_results", "results_table", "summary_table"]
