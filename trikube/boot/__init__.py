"""`trikube boot`: scaffolds an aggregated API server on `trikube.aa`, runs it, and deploys it to a cluster.

The counterpart of `apiserver-boot`. `command` is the command line, `creating` writes the repository, `local` runs it,
`deploying` makes manifests and applies them; all files come from `templates` and go through `changes`. Documented in
`docs/boot.md`.
"""
