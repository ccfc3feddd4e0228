"""Resource, Strategy and Store: the REST storage behind every endpoint."""
