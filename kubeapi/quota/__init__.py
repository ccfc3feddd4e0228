"""ResourceQuotas: what objects use of them, and what a write may still use. For admission and their controller."""
