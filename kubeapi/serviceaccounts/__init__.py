"""Service accounts: the tokens they are given, and who shows one."""
