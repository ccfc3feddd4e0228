"""Expressions over a write: match conditions of webhooks and policies, and all that policies say."""
