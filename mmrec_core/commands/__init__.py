"""The commands of ``python -m mmrec_core``: one function each, thin over the rooms."""
