"""The API's answers as typed structures: what is known of each field, once.

Shapes are those of the recordings (servers of March and August 2026) and of Sim's OpenAPI document.
The structures refuse unknown fields: ``decode`` then takes a slower way that keeps them. Payloads
(inputs, outputs) stay undecoded bytes (``msgspec.Raw``): nobody pays for what nobody reads.
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
