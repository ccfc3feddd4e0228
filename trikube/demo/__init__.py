"""`trikube demo`: the tour of the whole chain, on real processes, with the real kubectl.

`tour` starts and stops what is needed, `steps` is what happens in between, `traffic` tells which servers
answered, `kubectl` and `processes` run programs. The end-to-end test runs the very same.
"""
