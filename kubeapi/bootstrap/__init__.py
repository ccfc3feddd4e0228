"""What must exist in every cluster: made at start by post-start hooks, through the API like anybody's objects."""
