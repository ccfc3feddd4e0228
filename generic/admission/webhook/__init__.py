"""Admission by webhooks: the servers of others that are asked before an object is written."""
