"""cats: the Cat of the guide, docs/build-an-aa.md: an aggregated API server on one page. `python -m examples.cats`"""
