"""What is wrong with a CustomResourceDefinition, all causes at once, in Kubernetes' words."""
