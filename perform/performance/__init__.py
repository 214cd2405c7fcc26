"""A show that plays: parts opened from show.toml, and the tick in which pictures and numbers meet."""

from perform.performance.opening import Wishes, hardware, open_performance
from perform.performance.performance import Performance

__all__ = ["Performance", "Wishes", "hardware", "open_performance"]
