"""Tables of the HTTP room.

Sources: field names as tshark 4.0 has them (`tshark -G fields`); header names from RFC 9110, RFC 6265; Server header of
Intel's firmware as recorded from AMT 8.0.3, 14.0.39 and 15.0.23; service paths from the AMT SDK's external operations
interface (EOI), those of SecurityAdministration, NetworkAdministration and RemoteControl as recorded, the others [I].
"""

from __future__ import annotations

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
"""Methods looked for where a message may begin (RFC 9110 §9, RFC 5789); where one is due, any word will do."""

PRODUCT_PREFIX = "Intel(R) "

NO_BODY_STATUSES = frozenset((204, 304))
"""Responses without a body whatever their headers say (RFC 9112 §6.3); 1xx too."""

FIELD_OF_HEADER = {
    "accept": "http.accept",
    "accept-encoding": "http.accept_encoding",
    "accept-language": "http.accept_language",
    "authentication-info": "iamt.http.authentication_info",
    "authorization": "http.authorization",
    "cache-control": "http.cache_control",
    "connection": "http.connection",
    "content-encoding": "http.content_encoding",
    "content-length": "http.content_length_header",
    "content-type": "http.content_type",
    "cookie": "http.cookie",
    "date": "http.date",
    "host": "http.host",
    "last-modified": "http.last_modified",
    "location": "http.location",
    "proxy-authenticate": "http.proxy_authenticate",
    "proxy-authorization": "http.proxy_authorization",
    "referer": "http.referer",
    "server": "http.server",
    "set-cookie": "http.set_cookie",
    "soapaction": "iamt.http.soapaction",
    "transfer-encoding": "http.transfer_encoding",
    "upgrade": "http.upgrade",
    "user-agent": "http.user_agent",
    "www-authenticate": "http.www_authenticate",
    "x-forwarded-for": "http.x_forwarded_for",
}
"""Lower-case header name to field name; other headers are shown as `http.unknown_header`."""

REPEATED = frozenset(
    (
        "http.set_cookie",
        "http.www_authenticate",
        "http.proxy_authenticate",
        "http.unknown_header",
        "iamt.http.secret_header",
    )
)
"""Fields that are lists, one entry a header."""

SECRET_FIELDS = (
    "http.authorization",
    "http.cookie",
    "http.proxy_authorization",
    "http.set_cookie",
    "iamt.http.authentication_info",
    "iamt.http.digest.response",
    "iamt.http.secret_header",
)
"""Fields masked unless secrets are asked for."""

ADDRESS_FIELDS = (
    "http.location",
    "http.referer",
    "http.request.uri",
    "http.unknown_header",
    "iamt.http.digest.uri",
    "iamt.http.request.uri",
)
"""Fields that may hold an address with a password in it, which is masked likewise."""

SECRET_WORDS = ("auth", "cookie", "token", "password", "secret", "api-key", "session")
"""A header of no field of its own whose name holds one of these is masked too."""

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
