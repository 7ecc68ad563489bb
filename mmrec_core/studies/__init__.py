"""Studies: arms, runs, evidence, verdicts."""

# Registers the extractors that read descriptions: whoever plans a study may choose them.
import mmrec_core.descriptions  # noqa: F401
