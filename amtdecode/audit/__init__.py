"""What a capture says about how well machines are protected, and who did what to them (`diagnose --audit`).

Story in, value out: `audit` reads the story and the report that was made from it, and gives an `Audit`. The security
rules of the diagnosis are not repeated here: their findings are taken over. What only an audit asks, as rights handed
out, is declared in `rules` as further rules, and asked beside them.
"""

from amtdecode.audit.making import audit
from amtdecode.audit.rules import AUDIT_RULES
from amtdecode.audit.value import Actor, Audit, Change, Channel, MachineAudit, Right, Shown

__all__ = ["AUDIT_RULES", "Actor", "Audit", "Change", "Channel", "MachineAudit", "Right", "Shown", "audit"]
