"""The resource customresourcedefinitions: its types, strategy and conditions."""
