"""x-kubernetes-validations: rules in CEL, compiled from schemas and evaluated on custom resources."""
