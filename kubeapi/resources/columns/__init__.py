"""Table columns of the built-in kinds, a file per API group. Mirrors `pkg/printers/internalversion/printers.go`."""
