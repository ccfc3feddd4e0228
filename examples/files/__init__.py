"""files: objects as JSON files in a folder, to read, edit and keep in version control. `python -m examples.files`"""
