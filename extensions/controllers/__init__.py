"""What keeps CustomResourceDefinitions and what is served in step, one file each."""
