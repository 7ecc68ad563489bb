"""The commands of ``python -m mmrec_core``: one function each, thin over the rooms."""

# Registers the extractors that read descriptions.
import mmrec_core.descriptions  # noqa: F401
