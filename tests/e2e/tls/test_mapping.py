# SPDX-License-Identifier: Apache-2.0
"""verify_and_map: the certificate says who a client is (spec 04 §11): A-40, A-41, A-42."""

import json

import pytest

from e2e.auth.lines import VIOLATION
from e2e.auth.nkey import Nkey

PLAINTEXT = "Plaintext passwords detected, use nkeys or bcrypt"
ALICE = "/DC=com/DC=example/O=tests/OU=A/OU=B/CN=alice"
BOB = "CN=bob,O=tests"


@pytest.fixture
def mapping(tls_server, certificate):
    """mapping(user…, **options) -> Server that maps certificates to these users, given by name or as their block."""

    def start(*users, tls=None, **options):
        if users:
            options["authorization"] = {"users": [{"user": user} if isinstance(user, str) else user for user in users]}
        return tls_server({"verify_and_map": True, "ca_file": certificate("root").pem, **(tls or {})}, **options)

    return start


@pytest.fixture
def enter(connect, secure):
    """enter(server, certificate, **fields of CONNECT) -> Client that is let in."""

    def let_in(server, shown, **fields):
        return secure(connect(server), shown).connect(**fields)

    return let_in


@pytest.fixture
def refuse(connect, secure):
    """refuse(server, certificate, who, **fields of CONNECT): the client is not let in, and the log says who it was."""

    def keep_out(server, shown, who="", *, reason="Authentication Failure", **fields):
        client = connect(server)
        secure(client, shown)
        client.send(b"CONNECT " + json.dumps({"verbose": False, **fields}).encode() + b"\r\nPING\r\n")
        client.expect_closed_with(VIOLATION)
        server.wait_log(rf" - cid:{client.cid} - authentication error{who}\s*$")
        assert server.closed_reason(client.cid) == reason
        return client

    return keep_out


def said(server, client) -> list[str]:
    """What the log says of the search for the client's user."""
    server.wait_log(rf" - cid:{client.cid} - .*(Using|User .*cert)")
    lines = [line.rstrip().split(f" - cid:{client.cid} - ")[-1] for line in server.log().splitlines()
             if f" - cid:{client.cid} - " in line]
    return [line for line in lines if " for auth [" in line or line.startswith("User ")]


# ---- the names of a certificate

@pytest.fixture
def alice(certificate):
    return certificate("alice", "email:a1@x.example,email:a2@x.example,DNS:h1.example,DNS:h2.example,URI:spiffe://x/y",
                       subject=ALICE)


NO_DN = 'DistinguishedNameMatch could not be used for auth ["CN=alice,OU=A+OU=B,O=tests"]'
NO_DC = 'RDNSequence could not be used for auth ["CN=alice,OU=A+OU=B,O=tests,DC=com,DC=example"]'


@pytest.mark.parametrize("user, log", [
    ("a2@x.example", ["Using email found in cert"]),
    ("h2.example", ["Using SAN found in cert"]),
    ("spiffe://x/y", ["Using URI found in cert"]),
    ("CN=alice,OU=B,OU=A,O=tests,DC=example,DC=com", ["Using DistinguishedNameMatch"]),
    ("cn=alice,ou=B,OU=A,o=tests,dc=example,DC=com", ["Using DistinguishedNameMatch"]),
    ("DC=com,DC=example,O=tests,CN=alice,OU=A,OU=B", ["Using DistinguishedNameMatch"]),
    ("CN=alice,OU=A+OU=B,O=tests,DC=com,DC=example", [NO_DN, "Using RDNSequence"]),
    ("CN=alice,OU=A+OU=B,O=tests", [NO_DN, NO_DC, "Using certificate subject"]),
])
def test_a40_names(mapping, enter, alice, user, log):
    """A-40: by e-mail, DNS, URI, DN in any order, and the texts of the subject."""
    server = mapping("somebody", user)
    client = enter(server, alice)
    client.fence()
    assert said(server, client) == [*log[:-1], f'{log[-1]} for auth ["{user}"]']


@pytest.mark.parametrize("user", [
    "alice", "h3.example", "A2@x.example", "spiffe://x/", "CN=ALICE,OU=B,OU=A,O=tests,DC=example,DC=com", "CN=alice,OU=B,OU=A,O=tests",
    "CN=alice,OU=A,OU=B,O=tests", "CN=alice,OU=B+OU=A,O=tests", "CN=alice,OU=A,OU=A,O=tests,DC=com,DC=example"])
def test_a40_other_names(mapping, refuse, alice, user):
    """A-40: what is not its name."""
    server = mapping(user)
    client = refuse(server, alice)
    assert said(server, client) == [NO_DN, NO_DC, 'User in cert ["CN=alice,OU=A+OU=B,O=tests"], not found']


def test_a40_order(mapping, enter, alice):
    """A-40: the first kind that names a user wins, and in a kind the first name."""
    names = ["a1@x.example", "a2@x.example", "h1.example", "h2.example", "spiffe://x/y",
             "CN=alice,OU=B,OU=A,O=tests,DC=example,DC=com", "DC=com,DC=example,O=tests,CN=alice,OU=A,OU=B",
             "CN=alice,OU=A+OU=B,O=tests,DC=com,DC=example", "CN=alice,OU=A+OU=B,O=tests"]
    for i, name in enumerate(names):
        server = mapping(*reversed(names[i:]))
        assert said(server, enter(server, alice))[-1].endswith(f'for auth ["{name}"]')


def test_a40_several_values(mapping, enter, refuse, certificate):
    """A-40: attributes that stand together, in any order, or one after the other in the text."""
    gina = certificate("gina", "", subject="/O=tests/OU=Eng+CN=gina")
    for user in ("OU=Eng+CN=gina,O=tests", "CN=gina+OU=Eng,O=tests", "O=tests,cn=gina+ou=Eng", "CN=gina,OU=Eng,O=tests"):
        enter(mapping(user), gina)
    refuse(mapping("OU=Eng,CN=gina,O=tests"), gina)


@pytest.mark.parametrize("user", ['O=a\\, b,CN=\\ x \\;\\"\\\\', 'CN=\\20x \\3b\\22\\5c , O=a\\2c b'])
def test_a40_escapes(mapping, enter, certificate, user):
    """A-40: a name with characters that have a meaning."""
    enter(mapping(user), certificate("odd", "", subject='/O=a\\, b/CN= x ;"\\\\'))


def test_a40_unknown_attributes(mapping, enter, refuse, certificate):
    """A-40: a subject with attributes like UID is only compared by its text, which lacks them."""
    kate = certificate("kate", "", subject="/UID=u/CN=kate")
    server = mapping("CN=kate")
    assert said(server, enter(server, kate)) == ['Using certificate subject for auth ["CN=kate"]']
    refuse(mapping("CN=kate,UID=u"), kate)


def test_a40_text_of_the_subject(mapping, refuse, certificate):
    """A-40: its order is one of types, and of some the last value is all that counts."""
    shown = certificate("many", "", subject="/CN=two/CN=i/serialNumber=h/postalCode=g/street=f/OU=e2/O=d/L=c/OU=e1/ST=b/C=DE")
    server = mapping("nobody")
    text = "SERIALNUMBER=h,CN=i,OU=e2+OU=e1,O=d,POSTALCODE=g,STREET=f,L=c,ST=b,C=DE"
    assert said(server, refuse(server, shown))[-1] == f'User in cert ["{text}"], not found'


def test_a40_no_subject(mapping, enter, refuse, certificate):
    """A-40: alternative names alone are enough, and none at all are not."""
    server = mapping("h.example")
    enter(server, certificate("nameless", "DNS:h.example", subject="/"))
    client = refuse(server, certificate("empty", "", subject="/"))
    assert said(server, client) == ["User required in cert, none found"]


def test_a40_resumed_session(mapping, enter, connect, secure, certificate):
    """A-40: a session that is resumed is that of the certificate it began with."""
    server = mapping(BOB)
    first = enter(server, certificate("bob"))
    again = secure(connect(server), session=first.sock.session, context=first.sock.context).connect()
    assert again.sock.session_reused
    assert said(server, again) == [f'Using DistinguishedNameMatch for auth ["{BOB}"]']


def test_a40_users_of_accounts(mapping, enter, refuse, certificate):
    """A-40: users of accounts, too; a user who may not come that way is passed over."""
    server = mapping(accounts={"A": {"users": [{"user": BOB, "allowed_connection_types": ["WEBSOCKET"]}, {"user": "bob.example"}]}})
    assert said(server, enter(server, certificate("bob"))) == ['Using SAN found in cert for auth ["bob.example"]']
    server = mapping({"user": BOB, "allowed_connection_types": ["WEBSOCKET"]})
    refuse(server, certificate("bob"))


def test_a40_without_tls(mapping, connect, refuse, certificate):
    """A client without TLS has no certificate."""
    server = mapping(BOB, allow_non_tls=True)
    client = connect(server)
    client.send(b'CONNECT {"user":"CN=bob,O=tests"}\r\n')
    client.expect_closed_with(VIOLATION)
    assert said(server, client) == ["User required in cert, no TLS connection state"]


# ---- what CONNECT says

def test_a41_user_of_connect(mapping, enter, certificate):
    """A-41: the user of CONNECT is not heard, but warned of."""
    server = mapping(BOB, "alice")
    client = enter(server, certificate("bob"), user='al"ice')
    server.wait_log(r'\[WRN\] User "al\\"ice" found in connect proto, but user required from cert')
    client.send(b"PUB\r\n")
    server.wait_log(rf' - cid:{client.cid} - "\$G/user:{BOB}" - ')


def test_a41_password(mapping, enter, refuse, certificate):
    """A-41: the password is compared all the same."""
    server, bob = mapping({"user": BOB, "password": "secret"}), certificate("bob")
    enter(server, bob, **{"pass": "secret"})
    enter(server, bob, **{"user": "x", "pass": "secret"})
    who = f' - User "{BOB}"'
    refuse(server, bob, who)
    refuse(server, bob, who, **{"pass": "wrong"})
    refuse(server, bob, who, **{"user": "x", "pass": "wrong"})
    server = mapping(BOB)
    enter(server, bob, auth_token="x")
    refuse(server, bob, who, **{"pass": "secret"})


def test_a41_hash(mapping, enter, refuse, connect, secure, certificate):
    """A-41: so is a hash."""
    server = mapping({"user": BOB, "password": "$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG"}, "z", no_auth_user="z")
    enter(server, certificate("bob"), **{"user": "x", "pass": "s3cret"})
    refuse(server, certificate("bob"), f' - User "{BOB}"', **{"pass": "wrong"})
    client = secure(connect(server), certificate("bob"))
    client.send(b"PING\r\n")
    client.expect_closed_with(VIOLATION)


def test_a41_no_auth_user(mapping, refuse, enter, certificate):
    """A-41: no_auth_user is not for those whose certificate names nobody."""
    server = mapping("z", no_auth_user="z")
    refuse(server, certificate("bob"))
    refuse(server, certificate("bob"), ' - User "z"', user="z")
    enter(mapping("z", BOB, no_auth_user="z"), certificate("bob"))


def test_a41_first_operation(mapping, connect, secure, certificate):
    """A-41: nor where there is no CONNECT."""
    server = mapping("z", BOB, no_auth_user="z")
    client = secure(connect(server), certificate("bob"))
    client.fence()
    assert said(server, client) == [f'Using DistinguishedNameMatch for auth ["{BOB}"]']
    client = secure(connect(server), certificate("alan"))
    client.send(b"PING\r\n")
    client.expect_closed_with(VIOLATION)


def test_a41_nkeys(mapping, enter, refuse, connect, secure, certificate):
    """A-41: an nkey comes before the certificate."""
    key = Nkey("U", "k")
    server = mapping(BOB, {"nkey": key.public})
    client = secure(connect(server), certificate("bob"))
    client.connect(**key.credentials(client.info["nonce"]))
    refuse(server, certificate("bob"), f' - Nkey "{key.public}"', nkey=key.public, sig="x")
    enter(server, certificate("bob"))
    server = mapping("z", {"nkey": key.public}, no_auth_user=key.public)
    enter(server, certificate("bob"))
    refuse(server, certificate("bob"), ' - User "z"', user="z")


# ---- no users

@pytest.mark.parametrize("options, fields", [
    ({}, {}),
    ({"authorization": {"user": "a", "password": "b"}}, {"user": "a", "pass": "b"}),
    ({"authorization": {"token": "t"}}, {"auth_token": "t"}),
])
def test_a42_no_users(mapping, enter, refuse, certificate, options, fields):
    """A-42: without users the usual rules apply."""
    server = mapping(**options)
    enter(server, certificate("bob"), **fields)
    if fields:
        refuse(server, certificate("bob"))
    assert "in cert" not in server.log()


# ---- the warning at start

@pytest.mark.parametrize("user, is_warned", [
    ({}, False),
    ({"allowed_connection_types": ["STANDARD"]}, False),
    ({"allowed_connection_types": ["STANDARD", "WEBSOCKET"]}, False),
    ({"allowed_connection_types": ["WEBSOCKET"]}, True),
    ({"allowed_connection_types": ["IN_PROCESS"]}, True),
    ({"password": "x"}, True),
])
def test_warning(mapping, user, is_warned):
    """A user without a password may be meant to come by its certificate."""
    server = mapping({"user": BOB, **user})
    assert (PLAINTEXT in server.log()) == is_warned
