"""The front door: command line, options, PKI and the composition of the three tiers."""
