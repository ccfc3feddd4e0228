"""The Pod Security Standards: what a pod may do at each level. For the admission plugin of that name."""
