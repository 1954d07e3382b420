"""Why a node was not cached: a comparison with the last run of the same workflow."""

from nodegraph.explain.comparison import Comparison, Outcome
from nodegraph.explain.log import RunLog

__all__ = ["Comparison", "Outcome", "RunLog"]
