"""The resources that CustomResourceDefinitions define: how their objects are written, converted, scaled and shown."""
