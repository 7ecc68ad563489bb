"""MMRec Lens: does a multimodal recommender use the content of its items?

Data flows one way: files -> datasets -> embeddings -> recommenders -> studies -> figures -> pages.
Importing this package is cheap: torch and its kin are loaded when first used.
"""

__version__ = "0.1.0"
