"""Tables of the HTTP room.

Sources: Server header of Intel's firmware as recorded from AMT 8.0.3, 14.0.39 and 15.0.23; service paths from the AMT
SDK's external operations interface (EOI), those of SecurityAdministration, NetworkAdministration and RemoteControl as
recorded, the others [I].
"""

from __future__ import annotations

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "NOTIFY")
"""Methods looked for where a message may begin (RFC 9110 §9, RFC 5789, UPnP for events); where one is due, any word
will do."""

PRODUCT_PREFIX = "Intel(R) "

NO_BODY_STATUSES = frozenset((204, 304))
"""Responses without a body whatever their headers say (RFC 9112 §6.3); 1xx too."""

EOI_SERVICES = frozenset(
    (
        "AgentPresenceLocalService",
        "AgentPresenceRemoteService",
        "AuditLogService",
        "CircuitBreakerService",
        "EndpointAccessControlAdminService",
        "EndpointAccessControlService",
        "EventManagementService",
        "EventManagerService",
        "GeneralInfoService",
        "HardwareAssetService",
        "NetworkAdministrationService",
        "NetworkTimeService",
        "RedirectionService",
        "RemoteAccessAdminService",
        "RemoteControlService",
        "SecurityAdministrationService",
        "StorageAdministrationService",
        "StorageService",
        "UserAccessControlService",
        "WirelessConfigurationService",
    )
)
"""Last part of the path of the SOAP services of AMT 1 to 8."""
