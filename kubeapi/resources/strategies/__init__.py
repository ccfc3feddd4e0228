"""Strategies of the built-in kinds, a file per API group. Mirrors `pkg/registry/<group>/<kind>/strategy.go`."""
