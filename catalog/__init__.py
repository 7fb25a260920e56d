"""What is promised: the unified catalog as typed data, its check, its release.

The rules that a bureau reads and edits live beside the code as YAML: ``entries/``, ``subjects/``,
``elements.yaml``, ``departments.yaml``, ``code_lists/`` and ``profiles/``. DAG files parse this
package, so it imports the standard library, pydantic, yaml and numpy only.
"""
