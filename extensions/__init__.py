"""The third tier: CustomResourceDefinitions and the resources they define."""
