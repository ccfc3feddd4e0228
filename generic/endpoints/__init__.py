"""One file per verb family: HTTP on one side, REST storage on the other."""
