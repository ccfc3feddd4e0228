"""Programs that run beside ours: processes, free ports, kubectl. Used by `trikube.demo`, `trikube.testing`, boot."""
