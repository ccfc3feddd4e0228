"""RBAC over this server's own stores: the rules in force, and what may be granted."""
