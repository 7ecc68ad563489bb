"""Studies: arms, runs, evidence, verdicts."""
