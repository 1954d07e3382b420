"""Workflows as documents: the file format, its migrations, and ComfyUI's format."""

from nodegraph.workflow.comfy import export_comfy, import_comfy
from nodegraph.workflow.files import dump_workflow, parse_workflow, read_workflow, write_workflow
from nodegraph.workflow.migration import migrate_entry, migrate_workflow
from nodegraph.workflow.png import workflow_metadata
from nodegraph.workflow.reading import workflow_from_document
from nodegraph.workflow.schema import NodeEntry, SubgraphEntry, Workflow, new_entry
from nodegraph.workflow.sources import load_workflow, read_png_workflow, workflow_of_any_format
from nodegraph.workflow.writing import workflow_document

__all__ = [
    "NodeEntry",
    "SubgraphEntry",
    "Workflow",
    "dump_workflow",
    "export_comfy",
    "import_comfy",
    "load_workflow",
    "migrate_entry",
    "migrate_workflow",
    "new_entry",
    "parse_workflow",
    "read_png_workflow",
    "read_workflow",
    "workflow_document",
    "workflow_from_document",
    "workflow_metadata",
    "workflow_of_any_format",
    "write_workflow",
]
