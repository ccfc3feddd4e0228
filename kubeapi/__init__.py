"""The second tier: authentication, authorization, admission and the built-in kinds."""
