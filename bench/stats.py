"""Small statistics over lists of numbers."""

from collections.abc import Sequence
from statistics import linear_regression, median

__all__ = ["median", "quantile", "slope", "spread"]


def quantile(sorted_values: Sequence[float], q: float) -> float:
    """The nearest-rank quantile, 0 < q <= 1, of values already in order.

    Raises ValueError when there are none.
    """
    if not sorted_values:
        raise ValueError("no values")
    rank = -int(-len(sorted_values) * q // 1)  # the ceiling
    return sorted_values[max(rank, 1) - 1]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The least-squares slope of (x, y) points, in y per x."""
    xs, ys = zip(*points, strict=True)
    return linear_regression(xs, ys).slope


def spread(values: Sequence[float]) -> float:
    """The distance from the least to the greatest, as a share of the median."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0
