"""The API's responses as typed structures.

The fields come from the recordings (servers of March and August 2026) and from Sim's OpenAPI document. The structures
reject unknown fields; ``decode`` then takes a slower path that keeps them. Payloads (inputs, outputs) stay undecoded
bytes (``msgspec.Raw``), which costs nothing if they are not used.
"""

from .account import AuditLog, ExecutionLimits, Usage, UsageRateLimit, UsageSpend, UsageStorage, Workflow
from .base import LONGEST_ID, NO_RAW, NULL, Id, Money, Number, Wire, present
from .logs import (
    Cost,
    Execution,
    ExecutionData,
    ExecutionMetadata,
    Listed,
    ListedPage,
    ModelCost,
    ProviderTiming,
    RawItem,
    RawPage,
    Run,
    RunPage,
    RunWorkflow,
    Segment,
    Shown,
    Span,
    SpanOutput,
    Tokens,
    ToolCall,
)

__all__ = [
    "LONGEST_ID",
    "NO_RAW",
    "NULL",
    "AuditLog",
    "Cost",
    "Execution",
    "ExecutionData",
    "ExecutionLimits",
    "ExecutionMetadata",
    "Id",
    "Listed",
    "ListedPage",
    "ModelCost",
    "Money",
    "Number",
    "ProviderTiming",
    "RawItem",
    "RawPage",
    "Run",
    "RunPage",
    "RunWorkflow",
    "Segment",
    "Shown",
    "Span",
    "SpanOutput",
    "Tokens",
    "ToolCall",
    "Usage",
    "UsageRateLimit",
    "UsageSpend",
    "UsageStorage",
    "Wire",
    "Workflow",
    "present",
]
