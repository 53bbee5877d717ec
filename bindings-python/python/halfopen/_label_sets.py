"""The bound on the series of a metric: names may come from user input, and no back-end forgets a series."""

MAX_LABEL_SETS = 1_000
"""The label sets that are kept apart."""
OTHER = "(other)"
"""Each label of the series to which all others are added."""


class LabelSets:
    """The circuits with series of their own, by name and provider: the first 1,000."""

    def __init__(self) -> None:
        self._own: set[tuple[str, ...]] = set()

    def __contains__(self, labels: tuple[str, ...]) -> bool:
        return labels in self._own

    def admit(self, labels: tuple[str, ...]) -> bool:
        """Whether a circuit has its own series; the first 1,000 that ask get them."""
        if labels in self._own:
            return True
        # The core's own series for the counts of folded label sets have names like these.
        if len(self._own) >= MAX_LABEL_SETS or (labels[0] == OTHER and labels[1].startswith("(fold ")):
            return False
        self._own.add(labels)
        return True
