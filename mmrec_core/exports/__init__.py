"""A study leaves the house: figures, tables, methods paragraph, references, report, one archive."""
