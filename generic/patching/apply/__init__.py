"""Server-side apply: who owns which field of an object, and what happens when owners disagree (KEP-555)."""
