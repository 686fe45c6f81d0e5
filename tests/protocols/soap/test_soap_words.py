"""One exchange in words, made of its two messages by hand: whose name it bears, what came of it, which step it is."""

from __future__ import annotations

import msgspec
import pytest
from soap_exchange import wsman

from amtdecode.model import TO_CLIENT, TO_SERVER
from amtdecode.protocols.soap import calls
from amtdecode.protocols.soap.calls import ExchangeMessage, glanced, headline, kind_of, make_call, path_of, user_of
from amtdecode.protocols.soap.events import UNREAD, SoapFault, SoapRequest, SoapResponse
from amtdecode.protocols.soap.values import Values

SETUP = "AMT_SetupAndConfigurationService"
ASKED = SoapRequest("wsman", "1.2", class_name="AMT_GeneralSettings", method="Get", operation="op", enumeration="CIM_X")
TOLD = SoapResponse("wsman", "1.2", class_name="AMT_GeneralSettings", method="Get")


def asked(message=ASKED, **more):
    return ExchangeMessage(TO_SERVER, 0, 10, message, **more)


def told(message=TOLD, status=200, **more):
    return ExchangeMessage(TO_CLIENT, 0, 10, message, status=status, **more)


def changed(message, **values):
    return msgspec.structs.replace(message, **values)


def words(made):
    return made.result, made.result_text, made.result_name, made.meaning


def test_whose_name_a_call_bears():
    made = make_call(asked(user="admin"), told())
    assert (made.kind, made.service, made.class_name, made.method) == ("wsman", "wsman", "AMT_GeneralSettings", "Get")
    assert (made.operation, made.user, made.enumeration, made.missing) == ("op", "admin", "CIM_X", "")
    made = make_call(asked(changed(ASKED, class_name="")), told())
    assert made.class_name == "AMT_GeneralSettings"
    made = make_call(asked(SoapRequest("eoi", "1.1", service="GeneralInfo", method="GetUUID")), told())
    assert (made.kind, made.service, made.class_name) == ("eoi", "GeneralInfo", "AMT_GeneralSettings")
    made = make_call(None, told())
    assert (made.kind, made.class_name, made.missing) == ("wsman", "AMT_GeneralSettings", "request")
    made = make_call(asked(), None)
    assert made.missing == "response"
    assert words(made) == (None, "no response seen", "", "the capture holds no response to it")
    made = make_call(asked(None, glanced=("eoi", "GeneralInfo", "", "GetUUID"), method="POST", path="/x"), told())
    assert (made.kind, made.service, made.method) == ("wsman", "wsman", "Get")
    made = make_call(asked(None, glanced=("eoi", "GeneralInfo", "", "GetUUID"), path="/x"), told(None))
    assert (made.kind, made.service, made.method) == ("eoi", "GeneralInfo", "GetUUID")
    made = make_call(asked(None, method="POST", path="/x"), told(None))
    assert (made.kind, made.service, made.method) == ("http", "/x", "POST")
    made = make_call(None, told(None, method="", path=""))
    assert (made.kind, made.service, made.method, made.missing) == ("http", "", "", "request")
    made = make_call(asked(changed(ASKED, kind="soap"), method="POST", path="/y"), told(changed(TOLD, kind="soap")))
    assert (made.kind, made.service, made.method) == ("http", "/y", "POST")


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (told(), (None, "OK", "", "")),
        (told(changed(TOLD, partial=True)), (None, "OK (cut)", "", "")),
        (told(status=299), (None, "OK", "", "")),
        (told(status=300), (None, "300", "300", "")),
        (told(changed(TOLD, code=0), status=500), (0, "PT_STATUS 0x0 SUCCESS", "SUCCESS", "done")),
        (told(None, status=200), (None, "200", "", "")),
        (told(None, status=299, reason="Odd"), (None, "299 Odd", "", "")),
        (told(None, status=404), (None, "404 Not Found", "404", "")),
        (told(None, status=404, reason="Gone fishing", text="page"), (None, "404 Gone fishing", "404", "page")),
        (told(None, status=0), (None, "answered", "", "")),
        (told(None, status=401, text="page"), (None, "401 authentication required", "401", "page")),
        (
            told(None, status=401),
            (None, "401 authentication required", "401", "the request carries no credentials that AMT accepts"),
        ),
        (
            told(None, status=400),
            (
                None, "400 Bad Request", "400",
                "refused without a SOAP fault: a value out of AMT's limits, or a request it cannot parse",
            ),
        ),
        (told(None, status=400, text="page"), (None, "400 Bad Request", "400", "page")),
        (
            told(None, status=200, reason="OK", refused=True),
            (
                None, "200 OK, body not readable", UNREAD,
                "the body is not the XML of a SOAP envelope, or may not be read",
            ),
        ),
    ],
)  # fmt: skip
def test_what_came_of_it(response, expected):
    assert words(make_call(asked(), response)) == expected


def test_a_bare_400_to_what_was_no_soap_says_no_more():
    assert words(make_call(asked(None, method="GET", path="/"), told(None, status=400))) == (
        None, "400 Bad Request", "400", "",
    )  # fmt: skip
    assert words(make_call(asked(), told(status=400)))[3] == ""


def test_a_request_without_a_body_is_told_where_an_answer_came():
    assert make_call(asked(empty=True), told()).result_text == "OK, to a request without a body"
    assert make_call(asked(empty=True), told(None)).result_text == "200"


def test_faults():
    def fault(**values):
        made = make_call(asked(), told(SoapFault("wsman", "1.2", **values), status=500))
        return words(made), made.faulted

    (code, text, name, meaning), is_fault = fault(fault_code="Sender", subcode="AccessDenied", reason="no", status=2057)
    assert (code, name, is_fault) == (2057, "AccessDenied", True)
    assert text == "fault Sender/AccessDenied, PT_STATUS 0x809 DATA_MISSING: no"
    assert meaning == "something essential has not been set before committing"
    assert fault(fault_code="Sender", detail="x" * 300)[0] == (None, "fault Sender", "Sender", "x" * 200)
    assert fault()[0][2] == "fault"


@pytest.mark.parametrize(
    ("class_name", "method", "arguments", "answer", "step"),
    [
        (SETUP, "Put", (("a.PPS", "x"),), (), "PID/PPS renewal"),
        (SETUP, "Put", (("a.PID", "x"),), (), ""),
        (SETUP, "Get", (), (("ProvisioningServerOTP", "AAEC"),), "OTP read"),
        (SETUP, "Get", (), (("ProvisioningServerOTP", "AAAAAA=="),), ""),
        (SETUP, "Get", (), (("ProvisioningServerOTP", ""),), ""),
        (SETUP, "Get", (), (), ""),
        (SETUP, "Pull", (), (("ProvisioningServerOTP", "AAEC"),), ""),
        ("AMT_GeneralSettings", "Get", (("a.PPS", "x"),), (("ProvisioningServerOTP", "AAEC"),), ""),
    ],
)
def test_steps_that_show_in_what_a_call_carries(class_name, method, arguments, answer, step):
    request = SoapRequest("wsman", "1.2", class_name=class_name, method=method, arguments=Values(arguments))
    response = SoapResponse("wsman", "1.2", class_name=class_name, method=method, arguments=Values(answer))
    assert make_call(asked(request), told(response)).step == step


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/wsman", "/wsman"), ("/a?b=c", "/a"), ("/a?b?c", "/a"), ("*", "*"), ("", ""),
        ("http://pc:16992/logon.htm?x=1", "/logon.htm"), ("HTTPS://pc/a/b", "/a/b"), ("http://pc", "/"),
        ("http://pc/", "/"), ("/http://x", "/http://x"),
    ],
)  # fmt: skip
def test_the_path_of_a_target(target, path):
    assert path_of(target) == path


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<?xml version='1.0'?>", "xml"), (b"<html><head>", "html"), (b"  \r\n<HTML>", "html"), (b"<body>", "html"),
        (b"<!-- x --> <!DOCTYPE  html>", "html"), (b"<!DOCTYPE x>", "xml"), (b"\xef\xbb\xbf<a/>", "xml"),
        (b"\xff\xfe<\0a\0", "xml"), (b"\xfe\xff\0<", "xml"), (b"\0<\0a", "xml"), (b"\0\0\0<", "xml"),
        (b"", ""), (b"hello", ""), (b"{}", ""), (b" " * 512 + b"<a/>", ""), (b" " * 511 + b"<a/>", "xml"),
    ],
)  # fmt: skip
def test_what_a_body_is(data, kind):
    assert kind_of(data) == kind


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (b"<title>T</title><h1 class=x>Log  on\nfailed</h1>", "Log on failed"),
        (b"<title>T\xff</title><h3>no</h3>", "T\N{REPLACEMENT CHARACTER}"),
        (b"<h2>two</h2><h1>one</h1>", "two"),
        (b"<p>x</p>", ""),
        (b" " * (calls._SEARCHED - 5) + b"<h1>x", "x"),
        (b" " * (calls._SEARCHED - 4) + b"<h1>x", ""),
    ],
)
def test_what_a_page_says(page, says):
    assert headline(page) == says


class Head:
    """As much of an HTTP head as is looked at."""

    auth_user = None

    def __init__(self, action):
        self.action = action

    def header(self, name):
        return self.action if name == "soapaction" else None


def test_a_glance_at_what_cannot_be_read():
    action = '"http://schemas.intel.com/platform/client/GeneralInfo/2004/01#GetUUID"'
    assert glanced(b"", Head(action)) == ("eoi", "GeneralInfo", "", "GetUUID")
    body = wsman("AMT_GeneralSettings", "Get").encode()
    action, resource = b"<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>", b"<w:ResourceURI>"
    for head in (None, object(), Head(None), Head("x")):
        assert glanced(body, head) == ("wsman", "wsman", "AMT_GeneralSettings", "Get")
        assert glanced(b"\x80\x81", head) == ("", "", "", "")
    assert glanced(body.replace(resource, b"<w:Other>"), None) == ("wsman", "wsman", "", "Get")
    assert glanced(body.replace(action, b""), None) == ("wsman", "wsman", "AMT_GeneralSettings", "")
    assert user_of(Head(None)) == user_of(object()) == ""
