"""PT_STATUS, the result codes of Intel AMT: `Status` in EOI, `ReturnValue` and `AMT-STATUS` in WS-Man.

Sources: Intel AMT SDK, StatusCodeDefinitions.h (2004 to 2008) and its later copy in intel/lms; codes above 0x816 from
intel/lms and Intel's WS-Management class reference. Meanings in our own words; "" where the name says it all.
A JavaScript copy in public use is shifted from 0x1F on: not followed.
"""

from __future__ import annotations

from typing import NamedTuple


class Status(NamedTuple):
    """A result code by name, and what it means."""

    name: str
    meaning: str


VENDOR_BASE = 32768
"""Standard CIM methods return this plus a PT_STATUS (Intel, "Errors and Return Values")."""

_TABLE: dict[int, tuple[str, str]] = {
    0x0: ("SUCCESS", "done"),
    0x1: ("INTERNAL_ERROR", "the firmware failed inside"),
    0x2: ("NOT_READY", "the service is still starting or busy; try again"),
    0x3: ("INVALID_PT_MODE", "not possible in the present mode of AMT"),
    0x4: ("INVALID_MESSAGE_LENGTH", ""),
    0x5: ("TABLE_FINGERPRINT_NOT_AVAILABLE", ""),
    0x6: ("INTEGRITY_CHECK_FAILED", ""),
    0x7: ("UNSUPPORTED_ISVS_VERSION", "the storage interface has another version"),
    0x8: ("APPLICATION_NOT_REGISTERED", ""),
    0x9: ("INVALID_REGISTRATION_DATA", ""),
    0xA: ("APPLICATION_DOES_NOT_EXIST", ""),
    0xB: ("NOT_ENOUGH_STORAGE", ""),
    0xC: ("INVALID_NAME", "a name is empty, too long or has forbidden characters"),
    0xD: ("BLOCK_DOES_NOT_EXIST", ""),
    0xE: ("INVALID_BYTE_OFFSET", ""),
    0xF: ("INVALID_BYTE_COUNT", ""),
    0x10: ("NOT_PERMITTED", "this user, or this state of AMT, may not do it"),
    0x11: ("NOT_OWNER", ""),
    0x12: ("BLOCK_LOCKED_BY_OTHER", ""),
    0x13: ("BLOCK_NOT_LOCKED", ""),
    0x14: ("INVALID_GROUP_PERMISSIONS", ""),
    0x15: ("GROUP_DOES_NOT_EXIST", ""),
    0x16: ("INVALID_MEMBER_COUNT", ""),
    0x17: ("MAX_LIMIT_REACHED", "the store or list is full"),
    0x18: ("INVALID_AUTH_TYPE", ""),
    0x19: ("AUTHENTICATION_FAILED", ""),
    0x1A: ("INVALID_DHCP_MODE", ""),
    0x1B: ("INVALID_IP_ADDRESS", ""),
    0x1C: ("INVALID_DOMAIN_NAME", ""),
    0x1D: ("UNSUPPORTED_VERSION", ""),
    0x1E: ("REQUEST_UNEXPECTED", "not possible at this point"),
    0x1F: ("INVALID_TABLE_TYPE", ""),
    0x20: ("INVALID_PROVISIONING_STATE", "not possible in the present provisioning state"),
    0x21: ("UNSUPPORTED_OBJECT", ""),
    0x22: ("INVALID_TIME", ""),
    0x23: ("INVALID_INDEX", ""),
    0x24: ("INVALID_PARAMETER", "a parameter is missing or out of range"),
    0x25: ("INVALID_NETMASK", ""),
    0x26: ("FLASH_WRITE_LIMIT_EXCEEDED", "flash wear protection refuses further writes for now"),
    0x27: ("INVALID_IMAGE_LENGTH", ""),
    0x28: ("INVALID_IMAGE_SIGNATURE", ""),
    0x29: ("PROPOSE_ANOTHER_VERSION", ""),
    0x2A: ("INVALID_PID_FORMAT", "the PID is not 8 characters with a right check character"),
    0x2B: ("INVALID_PPS_FORMAT", "the PPS is not 32 characters with right check characters"),
    0x2C: ("BIST_COMMAND_BLOCKED", "blocked by the built-in self test"),
    0x2D: ("CONNECTION_FAILED", ""),
    0x2E: ("CONNECTION_TOO_MANY", ""),
    0x2F: ("RNG_GENERATION_IN_PROGRESS", "random numbers are still being gathered"),
    0x30: ("RNG_NOT_READY", "no random numbers yet"),
    0x31: ("CERTIFICATE_NOT_READY", "AMT's own certificate is still being made; this can take minutes"),
    0x200: ("REMOTE_ACCESS_NOT_GRANTED", ""),
    0x201: ("REMOTE_ACCESS_HOST_VPN_IS_DISABLED", ""),
    0x202: ("REMOTE_ACCESS_GRANTED_WITHOUT_DDNS", ""),
    0x203: ("REMOTE_ACCESS_GRANTED_WITH_DDNS", ""),
    0x400: ("DISABLED_BY_POLICY", ""),
    0x800: ("NETWORK_IF_ERROR_BASE", ""),
    0x801: ("UNSUPPORTED_OEM_NUMBER", ""),
    0x802: ("UNSUPPORTED_BOOT_OPTION", ""),
    0x803: ("INVALID_COMMAND", ""),
    0x804: ("INVALID_SPECIAL_COMMAND", ""),
    0x805: ("INVALID_HANDLE", "no entry has this handle"),
    0x806: ("INVALID_PASSWORD", "the password breaks the rules of length or strength"),
    0x807: ("INVALID_REALM", "a realm does not exist or may not be given"),
    0x808: ("STORAGE_ACL_ENTRY_IN_USE", ""),
    0x809: ("DATA_MISSING", "something essential has not been set before committing"),
    0x80A: ("DUPLICATE", "it is there already"),
    0x80B: ("EVENTLOG_FROZEN", ""),
    0x80C: ("PKI_MISSING_KEYS", ""),
    0x80D: ("PKI_GENERATING_KEYS", "keys are still being made; try again"),
    0x80E: ("INVALID_KEY", ""),
    0x80F: ("INVALID_CERT", "the certificate is not accepted"),
    0x810: ("CERT_KEY_NOT_MATCH", "the private key does not belong to the certificate"),
    0x811: ("MAX_KERB_DOMAIN_REACHED", "too many Kerberos domains"),
    0x812: ("UNSUPPORTED", ""),
    0x813: ("INVALID_PRIORITY", ""),
    0x814: ("NOT_FOUND", ""),
    0x815: ("INVALID_CREDENTIALS", ""),
    0x816: ("INVALID_PASSPHRASE", ""),
    0x818: ("NO_ASSOCIATION", ""),
    0x81B: ("AUDIT_FAIL", "the action could not be written to the audit log, so it was not done"),
    0x81C: ("BLOCKING_COMPONENT", "a component, as of the audit log, forbids unprovisioning"),
    0x821: ("USER_CONSENT_REQUIRED", "the user at the machine must agree first"),
    0x822: ("OPERATION_IN_PROGRESS", ""),
    0x9C4: ("IPV6_INTERFACE_DISABLED", ""),
    0x9C5: ("INTERFACE_DOES_NOT_EXIST", ""),
    0x1000: ("PTSDK_INTERNAL_ERROR", "of the SDK on the host, not of the firmware"),
    0x1001: ("PTSDK_NOT_INITIALIZED", ""),
    0x1002: ("PTSDK_LIB_VERSION_UNSUPPORTED", ""),
    0x1003: ("PTSDK_INVALID_PARAM", ""),
    0x1004: ("PTSDK_RESOURCES", ""),
    0x1005: ("PTSDK_HARDWARE_ACCESS_ERROR", ""),
    0x1006: ("PTSDK_REQUESTOR_NOT_REGISTERED", ""),
    0x1007: ("PTSDK_NETWORK_ERROR", ""),
    0x1008: ("PTSDK_PARAM_BUFFER_TOO_SHORT", ""),
    0x1009: ("PTSDK_COM_NOT_INITIALIZED_IN_THREAD", ""),
    0x100A: ("PTSDK_URL_REQUIRED", ""),
}

PT_STATUS: dict[int, Status] = {code: Status(*entry) for code, entry in _TABLE.items()}
"""Code to name and meaning."""


def pt_status(code: int) -> Status | None:
    """Look a code up, also one moved above the vendor base; `None` where it is in no source."""
    return PT_STATUS.get(code) or PT_STATUS.get(code - VENDOR_BASE)


def pt_text(code: int) -> str:
    """Write a code as in `PT_STATUS 0x809 DATA_MISSING`."""
    status = PT_STATUS.get(code)
    if status is None and code - VENDOR_BASE in PT_STATUS:
        return f"PT_STATUS 0x{code - VENDOR_BASE:X} {PT_STATUS[code - VENDOR_BASE].name}"
    return f"PT_STATUS 0x{code:X} {status.name}" if status else f"PT_STATUS 0x{code:X}"
