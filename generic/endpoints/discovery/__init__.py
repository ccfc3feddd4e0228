"""Discovery documents: what groups, versions and resources there are, legacy and aggregated."""
